import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { blockFourierCapacity, blockFourierSize, innerMatrices, inverseWeights, outerMatrix } from './block-fourier.js';

/** The naive twin: X[k] = sum_n x[n] exp(-2 pi i k n / N), as [real, imaginary] pairs. */
function naiveTransform(x: readonly number[]): [number, number][] {
  const N = x.length;
  return x.map((_, k) => {
    let re = 0;
    let im = 0;
    x.forEach((value, n) => {
      const angle = (2 * Math.PI * ((k * n) % N)) / N;
      re += value * Math.cos(angle);
      im -= value * Math.sin(angle);
    });
    return [re, im];
  });
}

/** The two stages as the graph computes them, on one channel. X as [k1][k2] pairs, k1 = 0 .. N1/2. */
function stagedTransform(x: readonly number[], size: number): [number, number][][] {
  const columns = x.length / size;
  const outer = outerMatrix(size, columns === 2 * size);
  const { real, imaginary } = innerMatrices(size);
  return Array.from({ length: 2 * size + 1 }, (_, k1) => {
    const y = Array.from({ length: 2 * size }, (_, i) => {
      const row = 2 * k1 + Math.floor(i / size); // real parts, then imaginary parts, of the n2
      let sum = 0;
      for (let n1 = 0; n1 < columns; n1++) sum += outer[row * columns + n1]! * x[size * n1 + (i % size)]!;
      return sum;
    });
    return Array.from({ length: size }, (_, k2): [number, number] => {
      const at = (k1 * size + k2) * 2 * size;
      const product = (matrix: Float32Array): number => y.reduce((sum, value, i) => sum + matrix[at + i]! * value, 0);
      return [product(real), product(imaginary)];
    });
  });
}

/** The inverse by the transposed matrices: the first N/2 values. */
function stagedInverse(spectrum: readonly (readonly [number, number])[][], size: number): number[] {
  const { real, imaginary } = innerMatrices(size);
  const outer = outerMatrix(size, true);
  const weights = inverseWeights(size);
  const y = spectrum.map((row, k1) =>
    Array.from({ length: 2 * size }, (_, i) =>
      row.reduce((sum, [re, im], k2) => {
        const at = (k1 * size + k2) * 2 * size + i;
        return sum + weights[k1]! * (real[at]! * re + imaginary[at]! * im);
      }, 0),
    ),
  );
  return Array.from({ length: blockFourierCapacity(size) }, (_, n) => {
    const n1 = Math.floor(n / size);
    return y.reduce(
      (sum, row, k1) =>
        sum +
        outer[2 * k1 * 2 * size + n1]! * row[n % size]! +
        outer[(2 * k1 + 1) * 2 * size + n1]! * row[size + (n % size)]!,
      0,
    );
  });
}

const samples = (length: number) =>
  fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: length, maxLength: length });
/** The matrices are float32: sums of N values up to 1 keep this many digits. */
const tolerance = 1e-4;

describe('the two-stage transform', () => {
  for (const size of [1, 2, 4]) {
    const N = 4 * size * size;
    test(`of length ${N} equals the naive transform`, () => {
      fc.assert(
        fc.property(samples(N), (x) => {
          const expected = naiveTransform(x);
          stagedTransform(x, size).forEach((row, k1) =>
            row.forEach((value, k2) => {
              const [re, im] = expected[k1 + 4 * size * k2]!;
              assert.ok(Math.abs(value[0] - re) < tolerance && Math.abs(value[1] - im) < tolerance);
            }),
          );
        }),
        { numRuns: 20 },
      );
    });

    test(`of length ${N} is undone by the inverse for signals of half that length`, () => {
      fc.assert(
        fc.property(samples(N / 2), (x) => {
          const back = stagedInverse(stagedTransform(x, size), size);
          x.forEach((value, n) => assert.ok(Math.abs(value - back[n]!) < tolerance));
        }),
        { numRuns: 20 },
      );
    });
  }

  test('has room for every length, and little more room than needed for long ones', () => {
    for (let length = 1; length <= 8192; length++) {
      const capacity = blockFourierCapacity(blockFourierSize(length));
      assert.ok(capacity >= length);
      if (length > 512) assert.ok(capacity < 1.6 * length);
    }
  });

  test('is exactly full at the lengths that models are made for', () => {
    for (const length of [32, 512, 2048, 8192]) assert.equal(blockFourierCapacity(blockFourierSize(length)), length);
  });
});
