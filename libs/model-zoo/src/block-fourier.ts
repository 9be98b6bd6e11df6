import type { GraphBuilder, Scope, Value } from '@a2sf/onnx-graph';
import type { TableInputs } from './text-encoder.js';

/**
 * The discrete Fourier transform of real columns in two stages of matrix products (the Monarch decomposition, arXiv
 * 2310.12109, section 3), of length N = N1 N2 with N1 = 4s, N2 = s. With n = N2 n1 + n2 and k = k1 + N1 k2:
 *
 *     Y[k1, n2] = sum_n1 exp(-2 pi i k1 n1 / N1) x[N2 n1 + n2]
 *     X[k1 + N1 k2] = sum_n2 exp(-2 pi i n2 (k1 + N1 k2) / N) Y[k1, n2]
 *
 * For real x only k1 = 0 .. N1/2 is computed, H = 2s + 1 rows: the other half is its conjugate. Signals that are zero from
 * N/2 on skip half of the first stage. A convolution costs 64 s^3 flop per channel, O(L^1.5), all of it in matrix products:
 * on a CPU 6 to 9 times quicker than onnxruntime's DFT operator (L = 512 .. 8192), and N need not be a power of two.
 *
 * A size s carries sequences of at most capacity(s) = N/2 = 2 s^2 tokens.
 */
export function blockFourierSize(length: number): number {
  return Math.max(4, 4 * Math.ceil(Math.sqrt(length / 2) / 4));
}

/** Longest sequence that a size carries, N/2. */
export function blockFourierCapacity(size: number): number {
  return 2 * size * size;
}

/** The angle's cosine and sine, 2 pi (turns mod N) / N, exact to the last bits of float64 for any number of turns. */
function unit(turns: number, N: number): [number, number] {
  const angle = (2 * Math.PI * (turns % N)) / N;
  return [Math.cos(angle), Math.sin(angle)];
}

/**
 * First stage, [2H, columns]: rows (k1, real part) and (k1, imaginary part) of exp(-2 pi i k1 n1 / N1), row k1 times
 * weights[k1] if given. `half` = only the columns n1 < N1/2.
 */
export function outerMatrix(size: number, half: boolean, weights?: Float32Array): Float32Array {
  const N1 = 4 * size;
  const columns = half ? N1 / 2 : N1;
  const matrix = new Float32Array(2 * (2 * size + 1) * columns);
  for (let k1 = 0; k1 <= 2 * size; k1++) {
    const weight = weights?.[k1] ?? 1;
    for (let n1 = 0; n1 < columns; n1++) {
      const [cos, sin] = unit(k1 * n1, N1);
      matrix[2 * k1 * columns + n1] = weight * cos;
      matrix[(2 * k1 + 1) * columns + n1] = -weight * sin;
    }
  }
  return matrix;
}

/**
 * Second stage, twice [H, s, 2s]: for each k1 the matrices from (real and imaginary part of Y[k1, n2]) to the real and to
 * the imaginary part of X[k1 + N1 k2].
 */
export function innerMatrices(size: number): { real: Float32Array; imaginary: Float32Array } {
  const H = 2 * size + 1;
  const N = 4 * size * size;
  const real = new Float32Array(H * size * 2 * size);
  const imaginary = new Float32Array(real.length);
  for (let k1 = 0; k1 < H; k1++) {
    for (let k2 = 0; k2 < size; k2++) {
      for (let n2 = 0; n2 < size; n2++) {
        const [cos, sin] = unit(n2 * (k1 + 4 * size * k2), N);
        const at = (k1 * size + k2) * 2 * size + n2;
        real[at] = cos;
        real[at + size] = sin;
        imaginary[at] = -sin;
        imaginary[at + size] = cos;
      }
    }
  }
  return { real, imaginary };
}

/** [H]: what the inverse multiplies row k1 with, 1/N, twice that where the row stands for its conjugate as well. */
export function inverseWeights(size: number): Float32Array {
  const N = 4 * size * size;
  return Float32Array.from({ length: 2 * size + 1 }, (_, k1) => (k1 === 0 || k1 === 2 * size ? 1 : 2) / N);
}

/**
 * The transform's matrices as graph inputs: `fourier.outer` for signals (zero from N/2 on), `fourier.filter` for filters,
 * all of N and times the inverse's weights.
 */
export function blockFourierInputs(size: number): TableInputs {
  const H = 2 * size + 1;
  const { real, imaginary } = innerMatrices(size);
  const filter = outerMatrix(size, false, inverseWeights(size));
  return {
    'fourier.outer': { type: 'float32', data: outerMatrix(size, true), shape: [2 * H, 2 * size] },
    'fourier.filter': { type: 'float32', data: filter, shape: [2 * H, 4 * size] },
    'fourier.real': { type: 'float32', data: real, shape: [H, size, 2 * size] },
    'fourier.imaginary': { type: 'float32', data: imaginary, shape: [H, size, 2 * size] },
  };
}

/** The transform inside one graph; `scope` is where its nodes go, a branch of the graph or the graph itself. */
export class BlockFourier {
  /** [1]: N/2, rows of a signal. */
  readonly capacity: Value;
  private readonly outer: Value;
  private readonly filter: Value;
  private readonly real: Value;
  private readonly imaginary: Value;
  private readonly columns: Value; // [1]: n1 of a signal, 2s
  private readonly stacked: Value; // [H, 2s]
  private readonly doubled: Value; // [2H]

  constructor(private readonly g: GraphBuilder) {
    this.outer = g.input('fourier.outer', 'float32', ['fourier2H', 'fourier2S']);
    this.filter = g.input('fourier.filter', 'float32', ['fourier2H', 'fourier4S']);
    this.real = g.input('fourier.real', 'float32', ['fourierH', 'fourierS', 'fourier2S']);
    this.imaginary = g.input('fourier.imaginary', 'float32', ['fourierH', 'fourierS', 'fourier2S']);
    this.columns = g.op('Shape', [this.outer], { start: 1, end: 2 });
    this.doubled = g.op('Shape', [this.outer], { start: 0, end: 1 });
    this.capacity = g.op('Mul', [this.columns, g.op('Shape', [this.real], { start: 1, end: 2 })]);
    const H = g.op('Shape', [this.real], { start: 0, end: 1 });
    this.stacked = g.op('Concat', [H, this.columns], { axis: 0 });
  }

  /** A signal [capacity, channels] -> real and imaginary part of its spectrum, each [H, s, channels]. */
  transform(x: Value, channels: number): [Value, Value] {
    return this.stages(this.g, this.outer, x, channels);
  }

  /** A filter [2 capacity, channels] -> its spectrum times the inverse's weights, each part [H, s, channels]. */
  transformFilter(scope: Scope, x: Value, channels: number): [Value, Value] {
    return this.stages(scope, this.filter, x, channels);
  }

  /** The first N/2 rows of the signal with this spectrum, whose rows are already multiplied by the inverse's weights. */
  inverse([real, imaginary]: readonly [Value, Value], channels: number): Value {
    const { g } = this;
    // The conjugate transform of each stage is its transpose: X = M Y forward, Y = M' X back.
    const y = g.op('Add', [
      g.contrib('FusedMatMul', [this.real, real], { transA: 1 }),
      g.contrib('FusedMatMul', [this.imaginary, imaginary], { transA: 1 }),
    ]); // [H, 2s, channels]
    const blocks = g.op('Reshape', [y, shape(g, this.doubled, -1)]); // [2H, s * channels]
    return g.op('Reshape', [g.contrib('FusedMatMul', [this.outer, blocks], { transA: 1 }), g.ints(-1, channels)]);
  }

  private stages(g: Scope, outer: Value, x: Value, channels: number): [Value, Value] {
    const columns = g.op('Shape', [outer], { start: 1, end: 2 });
    const blocks = g.op('Reshape', [x, shape(g, columns, -1)]); // [n1, s * channels]
    const y = g.op('Reshape', [g.op('MatMul', [outer, blocks]), shape(g, this.stacked, channels)]); // [H, 2s, channels]
    return [g.op('MatMul', [this.real, y]), g.op('MatMul', [this.imaginary, y])];
  }
}

function shape(g: Scope, leading: Value, last: number): Value {
  return g.op('Concat', [leading, g.ints(last)], { axis: 0 });
}
