import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Random } from '@a2sf/random';
import { compress } from '../sparse-vector.js';
import { InverseCovariances } from './covariance.js';

const width = 7;

/** Gauss-Jordan inverse of lambda I + sum z z', the definition, in double precision. */
function inverseByDefinition(lambda: number, samples: readonly Float64Array[]): number[][] {
  const rows = Array.from({ length: width }, (_, i) => {
    const left = Array.from(
      { length: width },
      (_, j) => (i === j ? lambda : 0) + samples.reduce((sum, z) => sum + z[i]! * z[j]!, 0),
    );
    return [...left, ...Array.from({ length: width }, (_, j) => (i === j ? 1 : 0))];
  });
  for (let i = 0; i < width; i++) {
    const pivot = rows[i]![i]!; // positive: the matrix is positive definite
    rows[i] = rows[i]!.map((value) => value / pivot);
    for (let k = 0; k < width; k++) {
      if (k === i) continue;
      const factor = rows[k]![i]!;
      rows[k] = rows[k]!.map((value, j) => value - factor * rows[i]![j]!);
    }
  }
  return rows.map((row) => row.slice(width));
}

function quadraticFormByDefinition(matrix: readonly number[][], z: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) sum += z[i]! * matrix[i]![j]! * z[j]!;
  return sum;
}

function addOne(covariances: InverseCovariances, action: number, z: Float64Array, count: number): void {
  covariances.add([{ action, z: compress(z, 0, width), count }]);
}

const anyFeatures = fc
  .array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 2, noNaN: true })), { minLength: width, maxLength: width })
  .map((values) => Float64Array.from(values));

test('updates and quadratic forms agree with the inverse by definition', () => {
  fc.assert(
    fc.property(fc.array(anyFeatures, { maxLength: 12 }), anyFeatures, (samples, z) => {
      const covariances = InverseCovariances.initial(2, width, 0.1);
      for (const [n, sample] of samples.entries()) addOne(covariances, 1, sample, n + 1);
      const expected = quadraticFormByDefinition(inverseByDefinition(0.1, samples), z);
      const got = covariances.quadraticForm(1, compress(z, 0, width));
      // Entries start at 10 and are rounded to 2^-24 of that at each update; the 1e-6 in the denominator adds as much.
      assert.ok(Math.abs(got - expected) <= 1e-4 * (1 + expected), `${got} ${expected}`);
      assert.ok(
        Math.abs(covariances.quadraticForm(0, compress(z, 0, width)) - 10 * z.reduce((s, v) => s + v * v, 0)) < 1e-4,
      );
    }),
  );
});

test('quadratic forms stay at least 0 and finite over 10000 updates', () => {
  const random = new Random(1);
  const covariances = InverseCovariances.initial(1, width, 0.1);
  const z = new Float64Array(width);
  for (let n = 0; n < 10_000; n++) {
    const scale = 10 ** (random.below(12) - 6);
    for (let i = 0; i < width; i++) z[i] = n % 3 === 0 ? 1 : random.below(2) * scale * random.uniform();
    const sparse = compress(z, 0, width);
    addOne(covariances, 0, z, n + 1);
    const form = covariances.quadraticForm(0, sparse);
    assert.ok(form >= 0 && Number.isFinite(form));
  }
});

test('an untouched matrix and the same matrix read in full give the same form', () => {
  const z = compress(Float64Array.of(1, 0, 2, 0, 0, 0.5, 0), 0, width);
  const touched = InverseCovariances.initial(1, width, 0.1);
  addOne(touched, 0, new Float64Array(width), 1); // adds nothing, but the matrix no longer counts as untouched
  const untouched = InverseCovariances.initial(1, width, 0.1);
  assert.ok(Math.abs(touched.quadraticForm(0, z) - untouched.quadraticForm(0, z)) < 1e-12);
});
