import type { GraphBuilder, Scope, Value } from '@a2sf/onnx-graph';
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
 * The transform's matrices as graph inputs: `fourier.outer` for signals (zero from N/2 on), `fourier.filter` for filters,
 * all of N and times the inverse's weights.
 */
export function blockFourierInputs(size: FourierSize): TableInputs {
  const { half: m, radix: r } = size;
  const H = m + 1;
  const { real, imaginary } = innerMatrices(size);
  const filter = outerMatrix(size, false, inverseWeights(size));
  return {
    'fourier.outer': { type: 'float32', data: outerMatrix(size, true), shape: [2 * H, m] },
    'fourier.filter': { type: 'float32', data: filter, shape: [2 * H, 2 * m] },
    'fourier.middle': { type: 'float32', data: middleMatrices(size), shape: [H, 2 * r, 2 * r] },
    'fourier.real': { type: 'float32', data: real, shape: [H * r, r, 2 * r] },
    'fourier.imaginary': { type: 'float32', data: imaginary, shape: [H * r, r, 2 * r] },
  };
}

/** The transform inside one graph; `scope` is where its nodes go, a branch of the graph or the graph itself. */
export class BlockFourier {
  /** [1]: N/2, rows of a signal. */
  readonly capacity: Value;
  private readonly outer: Value;
  private readonly filter: Value;
  private readonly middle: Value;
  private readonly real: Value;
  private readonly imaginary: Value;
  private readonly outerRows: Value; // [1]: 2H
  private readonly middleRows: Value; // [2]: H, 2r
  private readonly innerRows: Value; // [2]: H r, 2r

  constructor(private readonly g: GraphBuilder) {
    const inner = ['fourierHr', 'fourierR', 'fourier2R'];
    this.outer = g.input('fourier.outer', 'float32', ['fourier2H', 'fourierM']);
    this.filter = g.input('fourier.filter', 'float32', ['fourier2H', 'fourier2M']);
    this.middle = g.input('fourier.middle', 'float32', ['fourierH', 'fourier2R', 'fourier2R']);
    this.real = g.input('fourier.real', 'float32', inner);
    this.imaginary = g.input('fourier.imaginary', 'float32', inner);
    const sizes = (x: Value, start: number, end: number): Value => g.op('Shape', [x], { start, end });
    const radix = sizes(this.real, 1, 2);
    this.outerRows = sizes(this.outer, 0, 1);
    this.middleRows = sizes(this.middle, 0, 2);
    this.innerRows = g.op('Concat', [sizes(this.real, 0, 1), sizes(this.real, 2, 3)], { axis: 0 });
    this.capacity = g.op('Mul', [sizes(this.outer, 1, 2), g.op('Mul', [radix, radix])]);
  }

  /** A signal [capacity, channels] -> real and imaginary part of its spectrum, each [H r, r, channels]. */
  transform(x: Value, channels: number): [Value, Value] {
    return this.stages(this.g, this.outer, x, channels);
  }

  /** A filter [2 capacity, channels] -> its spectrum times the inverse's weights, each part [H r, r, channels]. */
  transformFilter(scope: Scope, x: Value, channels: number): [Value, Value] {
    return this.stages(scope, this.filter, x, channels);
  }

  /** The first N/2 rows of the signal with this spectrum, whose rows are already multiplied by the inverse's weights. */
  inverse([real, imaginary]: readonly [Value, Value], channels: number): Value {
    const { g } = this;
    // The conjugate transform of each stage is its transpose: X = M Y forward, Y = M' X back.
    const back = (matrix: Value, x: Value): Value => g.contrib('FusedMatMul', [matrix, x], { transA: 1 });
    const z = g.op('Add', [back(this.real, real), back(this.imaginary, imaginary)]);
    const y = back(this.middle, g.op('Reshape', [z, shape(g, this.middleRows, -1)]));
    return g.op('Reshape', [
      back(this.outer, g.op('Reshape', [y, shape(g, this.outerRows, -1)])),
      g.ints(-1, channels),
    ]);
  }

  private stages(g: Scope, outer: Value, x: Value, channels: number): [Value, Value] {
    const columns = g.op('Shape', [outer], { start: 1, end: 2 });
    const y = g.op('MatMul', [outer, g.op('Reshape', [x, shape(g, columns, -1)])]); // [2H, r r channels]
    const z = g.op('MatMul', [this.middle, g.op('Reshape', [y, shape(g, this.middleRows, -1)])]); // [H, 2r, r channels]
    const rows = g.op('Reshape', [z, shape(g, this.innerRows, channels)]); // [H r, 2r, channels]
    return [g.op('MatMul', [this.real, rows]), g.op('MatMul', [this.imaginary, rows])];
  }
}

function shape(g: Scope, leading: Value, last: number): Value {
  return g.op('Concat', [leading, g.ints(last)], { axis: 0 });
}
