/** The nonzero components of a vector, indices ascending. About half of a ReLU's outputs are zero. */
export interface SparseVector {
  readonly indices: Int32Array;
  readonly values: Float64Array;
}

/** The nonzero components of x[start .. start + length - 1]. */
export function compress(x: Float32Array | Float64Array, start: number, length: number): SparseVector {
  let count = 0;
  for (let i = 0; i < length; i++) if (x[start + i]! !== 0) count++;
  const indices = new Int32Array(count);
  const values = new Float64Array(count);
  for (let i = 0, k = 0; i < length; i++) {
    const value = x[start + i]!;
    if (value === 0) continue;
    indices[k] = i;
    values[k++] = value;
  }
  return { indices, values };
}

/** z'z */
export function squaredNorm({ values }: SparseVector): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}
