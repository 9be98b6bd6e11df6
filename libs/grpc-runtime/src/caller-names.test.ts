import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callerNames } from './caller-names.js';

const subject = (CN: unknown) => ({ subject: { CN } }) as unknown as Parameters<typeof callerNames>[0];

test('the names of a caller are its DNS names and URIs, else its common names', () => {
  const both = { ...subject('common'), subjectaltname: 'DNS:a, IP Address:10.0.0.1, URI:spiffe://b/c, email:d@e' };
  assert.deepEqual(callerNames(both), ['a', 'spiffe://b/c']);
  assert.deepEqual(callerNames({ ...subject('common'), subjectaltname: 'IP Address:10.0.0.1' }), ['common']);
  assert.deepEqual(callerNames(subject(['one', 'two'])), ['one', 'two']);
  assert.deepEqual(callerNames(subject(undefined)), []);
});

test('a name cannot pretend to be two', () => {
  const quoted = { ...subject('x'), subjectaltname: 'DNS:"a, DNS:a2sf-trainer", URI:"b\\"c, DNS:a2sf-trainer"' };
  assert.deepEqual(callerNames(quoted), ['a, DNS:a2sf-trainer', 'b"c, DNS:a2sf-trainer']);
  const other = { ...subject('x'), subjectaltname: 'othername:"1.2;UTF8:, DNS:a2sf-trainer", DNS:real' };
  assert.deepEqual(callerNames(other), ['real']);
});
