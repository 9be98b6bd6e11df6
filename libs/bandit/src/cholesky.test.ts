import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Random } from '@a2sf/random';
import { cholesky, choleskyInverse, packedLength, packedRow } from './cholesky.js';

const at = (A: Float64Array, i: number, j: number): number => A[packedRow(Math.max(i, j)) + Math.min(i, j)]!;

/** B B' + I / 4, packed. */
function positiveDefinite(width: number, seed: number): Float64Array {
  const random = new Random(seed);
  const B = Array.from({ length: width }, () => Array.from({ length: width }, () => 2 * random.uniform() - 1));
  const A = new Float64Array(packedLength(width));
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) A[packedRow(i) + j] = B[i]!.reduce((s, b, k) => s + b * B[j]![k]!, i === j ? 0.25 : 0);
  }
  return A;
}

test('G G and the inverse times the matrix are the matrix and the identity', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(), (width, seed) => {
      const A = positiveDefinite(width, seed);
      const G = cholesky(A, width)!;
      const inverse = choleskyInverse(A, width)!;
      for (let i = 0; i < width; i++) {
        for (let j = 0; j < width; j++) {
          let square = 0;
          for (let k = 0; k <= Math.min(i, j); k++) square += at(G, i, k) * at(G, j, k);
          let product = 0;
          for (let k = 0; k < width; k++) product += at(A, i, k) * at(inverse, k, j);
          assert.ok(Math.abs(square - at(A, i, j)) < 1e-12);
          assert.ok(Math.abs(product - (i === j ? 1 : 0)) < 1e-10); // condition numbers stay below some 1e3
        }
      }
    }),
  );
});

test('a matrix that is not positive definite has no inverse here', () => {
  assert.equal(choleskyInverse(Float64Array.of(1, 2, 1), 2), undefined);
  assert.equal(choleskyInverse(Float64Array.of(0), 1), undefined);
  assert.equal(choleskyInverse(Float64Array.of(NaN), 1), undefined);
});
