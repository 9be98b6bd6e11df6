import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@a2sf/random';
import { packedLength, packedRow } from '../cholesky.js';
import { compress, type SparseVector } from '../sparse-vector.js';
import { addOuter, quadraticForm, sparseProduct, subtractOuter } from './packed-matrix.js';
import { toPair } from './pairs.js';

// The same sums in their order, a number at a time: what stored policies and logged decisions were computed with.
const at = (i: number, j: number): number => packedRow(Math.max(i, j)) + Math.min(i, j);

function plainForm(M: Float32Array, { indices, values }: SparseVector): number {
  let sum = 0;
  for (let p = 0; p < indices.length; p++) {
    const chains = [0, 0];
    for (let q = 0; q < p; q++) chains[q % 2]! += M[at(indices[p]!, indices[q]!)]! * values[q]!;
    sum += values[p]! * (M[at(indices[p]!, indices[p]!)]! * values[p]! + 2 * (chains[0]! + chains[1]!));
  }
  return sum;
}

for (const width of [1, 2, 3, 4, 5, 6, 7, 8, 23, 64]) {
  test(`of width ${width} every number is that of the plain sums, bit for bit`, () => {
    const random = new Random(width);
    for (let round = 0; round < 20; round++) {
      const M = Float32Array.from({ length: packedLength(width) }, () => random.uniform() - 0.5);
      const L = Float64Array.from({ length: packedLength(width) }, () => toPair(random.uniform() * 8));
      const z = compress(
        Float32Array.from({ length: width }, () => Math.max(0, random.uniform() - round / 20)),
        0,
        width,
      );
      assert.equal(quadraticForm(M, z), plainForm(M, z));
      const w = Float64Array.from({ length: width }, (_, i) =>
        z.indices.reduce((sum, j, q) => sum + M[at(i, j)]! * z.values[q]!, 0),
      );
      assert.deepEqual(sparseProduct(M, width, z), w);
      const expectedL = L.slice();
      for (const [p, i] of z.indices.entries()) {
        for (let q = 0; q <= p; q++) {
          const place = at(i, z.indices[q]!);
          expectedL[place] = toPair(L[place]! + (z.values[p]! / 1.5) * z.values[q]!);
        }
      }
      addOuter(L, z, 1.5);
      assert.deepEqual(L, expectedL);
      const expectedM = M.slice();
      for (let i = 0; i < width; i++) for (let j = 0; j <= i; j++) expectedM[at(i, j)]! -= w[i]! * w[j]!;
      subtractOuter(M, w);
      assert.deepEqual(M, expectedM);
    }
  });
}
