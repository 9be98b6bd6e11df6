import assert from 'node:assert/strict';
import { test } from 'node:test';
import { continuationIds } from './continuation-ids.js';

const given = (ids: number[]): readonly number[] =>
  continuationIds({ continuation: { ids }, maxTokens: 3 }, undefined, 10);

test('the ids of a continuation are 1..maxTokens of the vocabulary', () => {
  assert.deepEqual(given([0, 9, 3]), [0, 9, 3]);
  for (const ids of [[], [1, 2, 3, 4]]) {
    const message = new RegExp(`must have 1\\.\\.3 tokens, has ${ids.length}`);
    assert.throws(() => given(ids), { code: 'INVALID_ARGUMENT', field: 'continuation', message });
  }
  for (const id of [10, -1, 1.5, NaN]) {
    const field = 'continuation.token_ids.ids[1]';
    assert.throws(() => given([1, id]), { code: 'INVALID_ARGUMENT', field, message: /below the vocabulary size 10/ });
  }
});

test('a text without a tokenizer is refused', () => {
  assert.throws(() => continuationIds({ continuation: { text: 'on' }, maxTokens: 3 }, undefined, 10), {
    code: 'FAILED_PRECONDITION',
    reason: 'no-tokenizer',
    field: 'continuation.text',
  });
});
