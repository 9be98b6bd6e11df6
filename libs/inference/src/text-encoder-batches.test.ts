import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { equalLengthBatches } from './text-encoder-batches.js';

test('runs hold every text once, of one length, within the limit unless a text alone is over it', () => {
  const lengths = fc.array(fc.nat(6), { maxLength: 60 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 20 }), (tokens, limit) => {
      const batches = equalLengthBatches(tokens, limit);
      const placed = batches.flat().toSorted((x, y) => x - y);
      assert.deepEqual(
        placed,
        [...tokens.keys()].filter((i) => tokens[i] !== 0),
      );
      for (const batch of batches) {
        assert.equal(new Set(batch.map((i) => tokens[i])).size, 1);
        assert.ok(batch.length === 1 || batch.length * tokens[batch[0]!]! <= limit);
        assert.deepEqual(
          batch,
          batch.toSorted((x, y) => x - y),
        );
      }
    }),
  );
});

test('texts of one length fill a run before the next one begins', () => {
  assert.deepEqual(equalLengthBatches([2, 3, 2, 0, 2, 3, 2], 6), [[0, 2, 4], [1, 5], [6]]);
});
