import assert from 'node:assert/strict';
import { test } from 'node:test';
import { A2sfError, isA2sfError } from './a2sf-error.js';

test('an invalid field is named at the start of the message', () => {
  const error = A2sfError.invalid('experiences[3].reward', 'must be in 0..1, got 2');
  assert.equal(error.message, 'experiences[3].reward: must be in 0..1, got 2');
  assert.equal(error.field, 'experiences[3].reward');
  assert.equal(error.code, 'INVALID_ARGUMENT');
});

test('the reason defaults to the code in lower-kebab-case', () => {
  assert.equal(new A2sfError('RESOURCE_EXHAUSTED', 'queue full').reason, 'resource-exhausted');
  assert.equal(new A2sfError('RESOURCE_EXHAUSTED', 'queue full', { reason: 'queue-full' }).reason, 'queue-full');
});

test('other errors are not taken for one of ours', () => {
  assert.equal(isA2sfError(new Error('x')), false);
  assert.equal(isA2sfError(new A2sfError('ABORTED', 'x')), true);
});
