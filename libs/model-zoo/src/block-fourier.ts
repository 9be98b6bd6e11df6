import type { TableInputs } from './text-encoder.js';

/** A transform of length N = 2 half radix^2, for signals of at most N/2 values. */
export interface FourierSize {
  /** Half the length of the first stage, m. */
  readonly half: number;
  /** Length of the second and of the third stage, r. */
  readonly radix: number;
}

/**
 * The discrete Fourier transform of real columns in three stages of matrix products (a Monarch decomposition, arXiv
 * 2310.12109, section 3). With N = 2m r^2, n = r^2 n1 + r a + b and k = k1 + 2m ka + 2m r kb:
 *
 *     Y[k1, a, b]  = sum_n1 exp(-2 pi i k1 n1 / 2m) x[n]
 *     Z[k1, ka, b] = sum_a exp(-2 pi i a (k1 + 2m ka) / 2m r) Y[k1, a, b]
 *     X[k]         = sum_b exp(-2 pi i b k / N) Z[k1, ka, b]
 *
 * For real x only k1 = 0 .. m is computed, H = m + 1 rows: the other half is its conjugate. Signals that are zero from N/2
 * on skip half of the first stage. A convolution costs 4 m r^2 (2m + 8r) flop per channel, O(L^(4/3)), all of it in matrix
 * products, whose rows keep their order in memory from stage to stage: nothing is transposed. On a CPU this beats
 * onnxruntime's DFT operator by far, and N need not be a power of two.
 *
 * r is the power of two that makes this least; m a multiple of 4, so that few sizes serve all lengths.
 */
export function blockFourierSize(length: number): FourierSize {
  let radix = 1;
  while (4 * radix ** 3 < length) radix *= 2;
  return { half: 4 * Math.ceil(length / (4 * radix * radix)), radix };
}

/** Longest sequence that a size carries, N/2. */
export function blockFourierCapacity({ half, radix }: FourierSize): number {
  return half * radix * radix;
}

/** Numbers in the matrices of a size. */
export function blockFourierNumbers({ half: m, radix: r }: FourierSize): number {
  return (m + 1) * (6 * m + 4 * r * r + 4 * r ** 3);
}

/** Numbers in the spectrum of one filter of so many channels, both parts. */
export function spectrumNumbers({ half: m, radix: r }: FourierSize, channels: number): number {
  return 2 * (m + 1) * r * r * channels;
}

/** The angle's cosine and sine, 2 pi (turns mod N) / N, exact to the last bits of float64 for any number of turns. */
function unit(turns: number, N: number): [number, number] {
  const angle = (2 * Math.PI * (turns % N)) / N;
  return [Math.cos(angle), Math.sin(angle)];
}

/**
 * First stage, [2H, columns]: rows (k1, real part) and (k1, imaginary part) of exp(-2 pi i k1 n1 / 2m), row k1 times
 * weights[k1] if given. `firstHalf` = only the columns n1 < m.
 */
export function outerMatrix({ half }: FourierSize, firstHalf: boolean, weights?: Float32Array): Float32Array {
  const columns = firstHalf ? half : 2 * half;
  const matrix = new Float32Array(2 * (half + 1) * columns);
  for (let k1 = 0; k1 <= half; k1++) {
    const weight = weights?.[k1] ?? 1;
    for (let n1 = 0; n1 < columns; n1++) {
      const [cos, sin] = unit(k1 * n1, 2 * half);
      matrix[2 * k1 * columns + n1] = weight * cos;
      matrix[(2 * k1 + 1) * columns + n1] = -weight * sin;
    }
  }
  return matrix;
}

/** Second stage, [H, 2r, 2r]: rows (ka, real part), (ka, imaginary part); columns (real part, a), (imaginary part, a). */
export function middleMatrices({ half, radix: r }: FourierSize): Float32Array {
  const matrices = new Float32Array((half + 1) * 4 * r * r);
  let at = 0;
  for (let k1 = 0; k1 <= half; k1++) {
    for (let ka = 0; ka < r; ka++, at += 4 * r) {
      for (let a = 0; a < r; a++) {
        const [cos, sin] = unit(a * (k1 + 2 * half * ka), 2 * half * r);
        matrices[at + a] = cos;
        matrices[at + r + a] = sin;
        matrices[at + 2 * r + a] = -sin;
        matrices[at + 3 * r + a] = cos;
      }
    }
  }
  return matrices;
}

/**
 * Third stage, twice [H r, r, 2r]: for each (k1, ka) the matrices from (real part, b), (imaginary part, b) of Z to the real
 * and to the imaginary part of X[k1 + 2m ka + 2m r kb].
 */
export function innerMatrices({ half, radix: r }: FourierSize): { real: Float32Array; imaginary: Float32Array } {
  const N = 2 * half * r * r;
  const real = new Float32Array((half + 1) * r * r * 2 * r);
  const imaginary = new Float32Array(real.length);
  let at = 0;
  for (let k1 = 0; k1 <= half; k1++) {
    for (let ka = 0; ka < r; ka++) {
      for (let kb = 0; kb < r; kb++, at += 2 * r) {
        for (let b = 0; b < r; b++) {
          const [cos, sin] = unit(b * (k1 + 2 * half * (ka + r * kb)), N);
          real[at + b] = cos;
          real[at + r + b] = sin;
          imaginary[at + b] = -sin;
          imaginary[at + r + b] = cos;
        }
      }
    }
  }
  return { real, imaginary };
}

/** [H]: what the inverse multiplies row k1 with, 1/N, twice that where the row stands for its conjugate as well. */
export function inverseWeights({ half, radix }: FourierSize): Float32Array {
  const N = 2 * half * radix * radix;
  return Float32Array.from({ length: half + 1 }, (_, k1) => (k1 === 0 || k1 === half ? 1 : 2) / N);
}

/**
 * How the stages go through long sequences, so that what stands between two stages stays in the processor's caches: radices
 * from 16 on take one row k1 of the later stages at a time, smaller ones all; and a filter is made in blocks of `count` rows n1.
 */
function portions({ half: m, radix: r }: FourierSize): { readonly groups: number; readonly count: number } {
  return r >= 16 ? { groups: m + 1, count: 1 } : { groups: 1, count: m % 4 === 0 ? 4 : 1 };
}

/**
 * First stage of a filter, [2H, m / count, 2 count], times the inverse's weights. Its columns are in the order in which a
 * filter is made: by block, the forward rows n1 < m of the block, then those m rows on, which hold the reversed taps.
 */
export function filterMatrix(size: FourierSize): Float32Array {
  const { half: m } = size;
  const { count } = portions(size);
  const natural = outerMatrix(size, false, inverseWeights(size));
  return natural.map((_, i) => {
    const column = i % (2 * m);
    const [block, inBlock] = [Math.floor(column / (2 * count)), column % (2 * count)];
    const n1 = block * count + (inBlock % count) + (inBlock < count ? 0 : m);
    return natural[i - column + n1]!;
  });
}

/** The transform's matrices as inputs of a graph; signals are zero from N/2 on. G groups of rows k1 are in all of them. */
export function blockFourierInputs(size: FourierSize): TableInputs {
  const { half: m, radix: r } = size;
  const H = m + 1;
  const { groups: G, count } = portions(size);
  const { real, imaginary } = innerMatrices(size);
  const float32 = (data: Float32Array, ...shape: number[]) => ({ type: 'float32', data, shape }) as const;
  return {
    'fourier.outer': float32(outerMatrix(size, true), 2 * H, m),
    'fourier.filter': float32(filterMatrix(size), 2 * H, m / count, 2 * count),
    'fourier.middle': float32(middleMatrices(size), G, H / G, 2 * r, 2 * r),
    'fourier.real': float32(real, G, (H / G) * r, r, 2 * r),
    'fourier.imaginary': float32(imaginary, G, (H / G) * r, r, 2 * r),
  };
}
