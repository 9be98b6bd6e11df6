import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { selectPositions } from './selection.js';

/** The readable twin: sort by score descending, position ascending. */
function naiveSelect(scores: ArrayLike<number>, n: number, budget: number, recent: number): number[] {
  const all = Array.from({ length: n }, (_, position) => position);
  if (n <= budget) return all;
  const ranked = all.slice(0, n - recent).sort((x, y) => scores[y]! - scores[x]! || x - y);
  return [...ranked.slice(0, budget - recent), ...all.slice(n - recent)].sort((x, y) => x - y);
}

function assertTwin(scores: Float32Array | Float64Array, n: number, budget: number, recent: number): void {
  assert.deepEqual([...selectPositions(scores, n, budget, recent)], naiveSelect(scores, n, budget, recent));
}

test('quickselect keeps the positions that a full sort keeps, ties and all', () => {
  const score = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.double({ min: -1e30, max: 1e30, noNaN: true }));
  fc.assert(
    fc.property(
      fc.array(score, { minLength: 1, maxLength: 200 }),
      fc.nat(200),
      fc.integer({ min: 1, max: 220 }),
      fc.nat(220),
      (values, shorter, budget, recent) => {
        const n = Math.max(1, values.length - (shorter % values.length));
        assertTwin(Float64Array.from(values), n, budget, recent % (budget + 1));
        assertTwin(Float32Array.from(values), n, budget, recent % (budget + 1));
      },
    ),
    { numRuns: 500 },
  );
});

test('long rows that are sorted, constant, sawtooth or defeat the pivot are selected exactly', () => {
  const n = 8192;
  const killer = new Float64Array(n); // Musser's median-of-three killer, where quickselect alone is quadratic
  for (let i = 0; i < n / 2; i++) {
    killer[2 * i] = i % 2 === 0 ? 2 * i : n + i;
    killer[2 * i + 1] = n / 2 + i;
  }
  const rows = [
    Float64Array.from({ length: n }, (_, i) => i),
    Float64Array.from({ length: n }, (_, i) => -i),
    new Float64Array(n).fill(0.25),
    Float64Array.from({ length: n }, (_, i) => i % 7),
    Float64Array.from({ length: n }, (_, i) => Math.min(i, n - i)),
    killer,
  ];
  for (const row of rows) for (const budget of [1, 128, 4096, 8191]) assertTwin(row, n, budget, budget >> 3);
});

test('infinite scores are ranked and the row itself is left as it was', () => {
  const scores = Float32Array.of(1, Infinity, 2, -Infinity, 3);
  assert.deepEqual([...selectPositions(scores, 5, 2, 0)], [1, 4]);
  assert.deepEqual([...scores], [1, Infinity, 2, -Infinity, 3]);
});

test('recent = budget keeps the end of the prompt alone', () => {
  assert.deepEqual([...selectPositions(new Float32Array(10), 10, 3, 3)], [7, 8, 9]);
});

test('a NaN score, a short row and an impossible budget are refused', () => {
  const code = 'INVALID_ARGUMENT';
  const row = new Float32Array(10);
  assert.throws(() => selectPositions(Float32Array.of(0, NaN, 0), 3, 1, 0), {
    code,
    message: 'scores: is NaN at position 1',
  });
  assert.throws(() => selectPositions(row, 11, 3, 0), { code, field: 'n' });
  assert.throws(() => selectPositions(row, 10, 0, 0), { code, field: 'budget' });
  assert.throws(() => selectPositions(row, 10, 3, 4), { code, field: 'recent' });
});
