import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { bootstrapMean } from './intervals.js';
import { Random } from '@a2sf/random';
import { regret } from './regret.js';

test('the interval holds the mean and lies within the values', () => {
  const anyValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(anyValues, fc.integer(), (values, seed) => {
      const { mean, low, high } = bootstrapMean(values, { seed, resamples: 200 });
      const slack = 1e-12;
      assert.ok(low <= high && low >= Math.min(...values) - slack && high <= Math.max(...values) + slack);
      assert.ok(mean >= Math.min(...values) - slack && mean <= Math.max(...values) + slack);
    }),
  );
});

test('for many values the interval is that of the normal approximation', () => {
  const random = new Random(3);
  const values = Array.from({ length: 400 }, () => random.uniform());
  const { mean, low, high } = bootstrapMean(values, { seed: 1 });
  const half = (1.96 * Math.sqrt(1 / 12)) / Math.sqrt(400);
  assert.ok(Math.abs(high - mean - half) < 0.2 * half && Math.abs(mean - low - half) < 0.2 * half);
});

test('the same seed gives the same interval; one value is its own interval', () => {
  const values = [0.1, 0.5, 0.9, 0.2];
  assert.deepEqual(bootstrapMean(values, { seed: 5 }), bootstrapMean(values, { seed: 5 }));
  assert.deepEqual(bootstrapMean([0.25]), { mean: 0.25, low: 0.25, high: 0.25 });
});

test('no values and values that are not finite are refused', () => {
  assert.throws(() => bootstrapMean([]), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => bootstrapMean([0, NaN]), { code: 'INVALID_ARGUMENT' });
});

test('regret is the distance to the best action and 0 for the best', () => {
  assert.equal(regret([0.25, 1, 0.5], 2), 0.5);
  assert.equal(regret([0.25, 1, 0.5], 1), 0);
  assert.throws(() => regret([1], 1), { code: 'INVALID_ARGUMENT' });
});
