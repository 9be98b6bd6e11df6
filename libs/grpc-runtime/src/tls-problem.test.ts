import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tlsProblem } from './tls-problem.js';

test('a connection that TLS did not allow tells why, any other tells nothing', () => {
  const of = (last: string) => tlsProblem(`No connection established. Last error: ${last}. Resolution note: `);
  assert.equal(of('Error: certificate has expired'), 'certificate has expired');
  assert.equal(of('Error: unable to get local issuer certificate'), 'unable to get local issuer certificate');
  assert.equal(
    of("Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: IP: 127"),
    "Hostname/IP does not match certificate's altnames: IP: 127",
  );
  const line = (text: string) =>
    of(`80:error:0A00045C:SSL routines:read:${text}:../deps/x.c:1601:SSL alert number 116`);
  assert.equal(line('tlsv13 alert certificate required'), 'tlsv13 alert certificate required');
  assert.equal(line('wrong version number'), 'it does not speak TLS');
  assert.equal(of('Failed to connect (2026-11-23T13:50:50.071Z)'), undefined);
  assert.equal(of('connect ECONNREFUSED 127.0.0.1:1'), undefined);
});
