import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { bootstrapMean } from '../intervals.js';
import { ratioInterval } from './ratio-interval.js';

const one = fc.double({ min: 0, max: 1, noNaN: true });

test('with denominators of 1 the interval of a ratio is that of the mean, bit for bit', () => {
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 20 }), fc.integer(), (values, seed) => {
      const options = { seed, resamples: 50, confidence: 0.9 };
      const terms = values.map((numerator) => ({ numerator, denominator: 1 }));
      assert.deepEqual(ratioInterval(terms, options), bootstrapMean(values, options));
    }),
  );
});

test('a ratio of sums lies between the smallest and the largest ratio of its terms, and so does its interval', () => {
  const positive = fc.double({ min: 0.01, max: 10, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.tuple(one, positive), { minLength: 1, maxLength: 20 }), (pairs) => {
      const terms = pairs.map(([ratio, denominator]) => ({ numerator: ratio * denominator, denominator }));
      const { mean, low, high } = ratioInterval(terms, { resamples: 50 })!;
      const ratios = pairs.map(([ratio]) => ratio);
      const [least, most] = [Math.min(...ratios) - 1e-12, Math.max(...ratios) + 1e-12];
      assert.ok(least <= low && low <= high && high <= most && least <= mean && mean <= most);
    }),
  );
});

test('terms without a ratio have no interval; resamples without one are left out', () => {
  assert.equal(ratioInterval([]), undefined);
  assert.equal(ratioInterval([{ numerator: 0, denominator: 0 }]), undefined);
  const rare = Array.from({ length: 20 }, (_, i) => ({ numerator: i === 0 ? 1.5 : 0, denominator: i === 0 ? 3 : 0 }));
  assert.deepEqual(ratioInterval(rare), { mean: 0.5, low: 0.5, high: 0.5 });
});
