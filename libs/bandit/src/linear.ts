/**
 * y[n, o] = b[o] + sum_i W[o, i] x[n, i], summed in the order of i in double precision, so that a row's result does not
 * depend on the batch around it. Four rows are taken at a time: each weight is read once for four independent sums.
 *
 * weights [outputs, inputs], bias [outputs], x [rows, inputs] -> [rows, outputs]
 */
export function affine(weights: Float32Array, bias: Float32Array, x: Float64Array, rows: number): Float64Array {
  const outputs = bias.length;
  const inputs = weights.length / outputs;
  const y = new Float64Array(rows * outputs);
  for (let n = 0; n < rows; n += 4) {
    const x0 = n * inputs;
    const x1 = Math.min(n + 1, rows - 1) * inputs; // past the last row: the last row again, its sum unused
    const x2 = Math.min(n + 2, rows - 1) * inputs;
    const x3 = Math.min(n + 3, rows - 1) * inputs;
    for (let o = 0; o < outputs; o++) {
      const row = o * inputs;
      let s0 = bias[o]!;
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      for (let i = 0; i < inputs; i++) {
        const w = weights[row + i]!;
        s0 += w * x[x0 + i]!;
        s1 += w * x[x1 + i]!;
        s2 += w * x[x2 + i]!;
        s3 += w * x[x3 + i]!;
      }
      y[n * outputs + o] = s0;
      if (n + 1 < rows) y[(n + 1) * outputs + o] = s1;
      if (n + 2 < rows) y[(n + 2) * outputs + o] = s2;
      if (n + 3 < rows) y[(n + 3) * outputs + o] = s3;
    }
  }
  return y;
}

/** into[at + i] += factor * from[start + i] for i = 0..length-1. */
export function addScaled(
  factor: number,
  from: Float32Array | Float64Array,
  start: number,
  into: Float64Array,
  at: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) into[at + i]! += factor * from[start + i]!;
}
