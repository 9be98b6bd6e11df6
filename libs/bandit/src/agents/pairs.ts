/**
 * Double-precision sums in a state, which knows single precision only: high[i] + low[i] with high the nearest
 * single-precision number and low that of the rest, 48 bits in all.
 */
export function splitPairs(rows: readonly Float64Array[], length: number): Float32Array {
  const data = new Float32Array(2 * rows.length * length);
  const low = rows.length * length;
  for (const [r, row] of rows.entries()) {
    for (let i = 0; i < row.length; i++) {
      const high = Math.fround(row[i]!);
      data[r * length + i] = high;
      data[low + r * length + i] = row[i]! - high;
    }
  }
  return data;
}

/** The rows that `splitPairs` was given; those that were empty are zeros. */
export function joinPairs(data: Float32Array, rows: number, length: number): Float64Array[] {
  return Array.from({ length: rows }, (_, r) =>
    Float64Array.from({ length }, (_, i) => data[r * length + i]! + data[(rows + r) * length + i]!),
  );
}

/** The nearest number that such a pair can hold: what is kept so is read back to the last bit. */
export function toPair(value: number): number {
  const high = Math.fround(value);
  return high + Math.fround(value - high);
}
