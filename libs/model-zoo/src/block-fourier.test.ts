import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  blockFourierCapacity,
  blockFourierInputs,
  blockFourierNumbers,
  blockFourierSize,
  filterMatrix,
  innerMatrices,
  inverseWeights,
  middleMatrices,
  outerMatrix,
  type FourierSize,
} from './block-fourier.js';

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

/** rows [x, columns] times x, a stack of them with its own x each. */
function times(matrix: Float32Array, x: readonly number[], from: number, rows: number): number[] {
  const at = from * x.length;
  return Array.from({ length: rows }, (_, i) =>
    x.reduce((sum, value, j) => sum + matrix[at + i * x.length + j]! * value, 0),
  );
}
/** The same with the matrix transposed. */
function timesTransposed(matrix: Float32Array, x: readonly number[], from: number, columns: number): number[] {
  return Array.from({ length: columns }, (_, j) =>
    x.reduce((sum, value, i) => sum + matrix[(from + i) * columns + j]! * value, 0),
  );
}
const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** The three stages as the graph computes them, on one channel: real and imaginary part in the order (k1, ka, kb). */
function stagedTransform(x: readonly number[], size: FourierSize): [number[], number[]] {
  const { half: m, radix: r } = size;
  const columns = x.length / (r * r);
  const outer = outerMatrix(size, columns === m);
  const middle = middleMatrices(size);
  const { real, imaginary } = innerMatrices(size);
  const y = range(2 * (m + 1)).map((row) =>
    range(r * r).map(
      (ab) =>
        times(
          outer,
          range(columns).map((n1) => x[r * r * n1 + ab]!),
          row,
          1,
        )[0]!,
    ),
  ); // [2H][a, b]
  const z = range(m + 1).map((k1) => {
    const parts = [...y[2 * k1]!, ...y[2 * k1 + 1]!]; // (part, a), b
    const columnsOfB = range(r).map((b) =>
      times(
        middle,
        range(2 * r).map((i) => parts[i * r + b]!),
        k1 * 2 * r,
        2 * r,
      ),
    );
    return range(2 * r).map((row) => columnsOfB.map((column) => column[row]!)); // [(ka, part)][b]
  });
  const last = (matrix: Float32Array): number[] =>
    range((m + 1) * r).flatMap((i) => {
      const rows = z[Math.floor(i / r)]!;
      const ka = i % r;
      return times(matrix, [...rows[2 * ka]!, ...rows[2 * ka + 1]!], i * r, r);
    });
  return [last(real), last(imaginary)];
}

/** The inverse by the transposed matrices: the first N/2 values. */
function stagedInverse([re, im]: readonly [number[], number[]], size: FourierSize): number[] {
  const { half: m, radix: r } = size;
  const { real, imaginary } = innerMatrices(size);
  const middle = middleMatrices(size);
  const outer = outerMatrix(size, true);
  const weights = inverseWeights(size);
  const z = range((m + 1) * r).map((i) => {
    const weigh = (part: number[]): number[] =>
      part.slice(i * r, (i + 1) * r).map((value) => value * weights[Math.floor(i / r)]!);
    const second = timesTransposed(imaginary, weigh(im), i * r, 2 * r);
    return timesTransposed(real, weigh(re), i * r, 2 * r).map((value, j) => value + second[j]!);
  }); // [(k1, ka)][(part, b)]
  const y = range(m + 1).flatMap((k1) => {
    const rows = range(r).flatMap((ka) => [z[k1 * r + ka]!.slice(0, r), z[k1 * r + ka]!.slice(r)]); // [(ka, part)][b]
    const ofB = range(r).map((b) =>
      timesTransposed(
        middle,
        rows.map((row) => row[b]!),
        k1 * 2 * r,
        2 * r,
      ),
    );
    return range(2).map((part) => range(r * r).map((ab) => ofB[ab % r]![part * r + Math.floor(ab / r)]!));
  }); // [2H][a, b]
  const ofAb = range(r * r).map((ab) =>
    timesTransposed(
      outer,
      y.map((row) => row[ab]!),
      0,
      m,
    ),
  );
  return range(blockFourierCapacity(size)).map((n) => ofAb[n % (r * r)]![Math.floor(n / (r * r))]!);
}

const samples = (length: number) =>
  fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: length, maxLength: length });
/** The matrices are float32: sums of N values up to 1 keep this many digits. */
const tolerance = 1e-4;

describe('the three-stage transform', () => {
  for (const size of [
    { half: 4, radix: 1 },
    { half: 3, radix: 2 },
    { half: 4, radix: 4 },
  ]) {
    const { half: m, radix: r } = size;
    const N = 2 * m * r * r;
    test(`of length ${N} equals the naive transform`, () => {
      fc.assert(
        fc.property(samples(N), (x) => {
          const expected = naiveTransform(x);
          const [re, im] = stagedTransform(x, size);
          re.forEach((value, i) => {
            const [k1, ka, kb] = [Math.floor(i / (r * r)), Math.floor(i / r) % r, i % r];
            const [cos, sin] = expected[k1 + 2 * m * (ka + r * kb)]!;
            assert.ok(Math.abs(value - cos) < tolerance && Math.abs(im[i]! - sin) < tolerance);
          });
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
    for (const length of [32, 512, 1024, 2048, 8192, 32_768])
      assert.equal(blockFourierCapacity(blockFourierSize(length)), length);
  });

  test('takes the rows of a filter in the order of its blocks, times the weights of the inverse', () => {
    for (const size of [{ half: 3, radix: 2 }, blockFourierSize(900), blockFourierSize(4096)]) {
      const { half: m } = size;
      const H = m + 1;
      const { shape } = blockFourierInputs(size)['fourier.filter']!;
      const [blocks, perBlock] = [shape[1]!, shape[2]!];
      assert.equal(blocks * perBlock, 2 * m);
      const count = perBlock / 2;
      const order = range(blocks).flatMap((block) =>
        [0, m].flatMap((way) => range(count).map((i) => way + block * count + i)),
      );
      assert.deepEqual(
        order.toSorted((x, y) => x - y),
        range(2 * m),
      );
      const natural = outerMatrix(size, false, inverseWeights(size));
      const matrix = filterMatrix(size);
      for (let row = 0; row < 2 * H; row++)
        order.forEach((n1, column) => assert.equal(matrix[row * 2 * m + column], natural[row * 2 * m + n1]));
    }
  });

  test('says how many numbers its matrices have', () => {
    for (const size of [{ half: 3, radix: 2 }, blockFourierSize(900)]) {
      const numbers = Object.values(blockFourierInputs(size)).reduce((sum, { data }) => sum + data.length, 0);
      assert.equal(blockFourierNumbers(size), numbers);
    }
  });
});
