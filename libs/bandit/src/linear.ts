import { dotProducts } from './kernel/dot-products.js';

/** Largest number of single precision. */
const largest = (2 - 2 ** -23) * 2 ** 127;

/**
 * y[n, o] = b[o] + sum_i W[o, i] x[n, i] in single precision; a row does not depend on the batch around it. Where that
 * leaves the range of single precision, the sum is taken again in double and cut to the largest number: y is finite.
 *
 * weights [outputs, inputs], bias [outputs], x [rows, inputs] -> [rows, outputs]
 */
export function affine(weights: Float32Array, bias: Float32Array, x: Float32Array): Float32Array {
  const outputs = bias.length;
  const inputs = weights.length / outputs;
  const y = dotProducts(x, weights, inputs);
  for (let start = 0; start < y.length; start += outputs) {
    for (let o = 0; o < outputs; o++) {
      const at = start + o;
      y[at]! += bias[o]!;
      if (!Number.isFinite(y[at])) y[at] = cutSum(weights, o * inputs, x, (start / outputs) * inputs, inputs, bias[o]!);
    }
  }
  return y;
}

function cutSum(
  weights: Float32Array,
  w: number,
  x: Float32Array,
  start: number,
  length: number,
  bias: number,
): number {
  let sum = bias;
  for (let i = 0; i < length; i++) sum += weights[w + i]! * x[start + i]!;
  return Math.min(Math.max(sum, -largest), largest);
}

/** What the chain rule gives for one affine layer. */
export interface AffineGradient {
  readonly weights: Float32Array; // [outputs, inputs]
  readonly bias: Float32Array; // [outputs]
}

/** dE/dW[o, i] = sum_n d[n, o] x[n, i] and dE/db[o] = sum_n d[n, o], d = dE/dy [rows, outputs], x [rows, inputs]. */
export function affineGradient(d: Float32Array, x: Float32Array, rows: number): AffineGradient {
  const columns = transposed(d, rows); // [outputs, rows]
  const weights = dotProducts(columns, transposed(x, rows), rows);
  const bias = new Float32Array(columns.length / rows);
  for (let o = 0; o < bias.length; o++) {
    let sum = 0;
    for (let n = 0; n < rows; n++) sum += columns[o * rows + n]!;
    bias[o] = sum;
  }
  return { weights, bias };
}

/** dE/dx[n, i] = sum_o d[n, o] W[o, i] */
export function inputGradient(d: Float32Array, weights: Float32Array, outputs: number): Float32Array {
  return dotProducts(d, transposed(weights, outputs), outputs);
}

/** X' of X [rows, columns]. */
function transposed(x: Float32Array, rows: number): Float32Array {
  const columns = x.length / rows;
  const y = new Float32Array(x.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) y[j * rows + i] = x[i * columns + j]!;
  }
  return y;
}
