import type { Pooling } from '@a2sf/model-zoo';

/** Lengths below this are not divided by, as in the reference's normalisation. */
const smallestLength = 1e-12;

/** One vector from the states of a text's tokens, [rows, dimension] -> [dimension]; sums are taken in float64. */
export function pool(states: Float32Array, dimension: number, pooling: Pooling | 'model'): Float32Array {
  const rows = states.length / dimension;
  if (rows === 1 || pooling === 'cls' || pooling === 'model') return states.slice(0, dimension);
  if (pooling === 'max') {
    const largest = states.slice(0, dimension);
    for (let i = dimension; i < states.length; i++) {
      const at = i % dimension;
      if (!(states[i]! <= largest[at]!)) largest[at] = states[i]!; // NaN stays visible
    }
    return largest;
  }
  const sum = new Float64Array(dimension);
  for (let row = 0; row < rows; row++) {
    const from = row * dimension;
    for (let i = 0; i < dimension; i++) sum[i]! += states[from + i]!;
  }
  const divisor = pooling === 'mean' ? rows : Math.sqrt(rows);
  return Float32Array.from(sum, (value) => value / divisor);
}

/** v / |v|. */
export function normalised(vector: Float32Array): Float32Array {
  let square = 0;
  for (const value of vector) square += value * value;
  const length = Math.max(Math.sqrt(square), smallestLength);
  return vector.map((value) => value / length);
}
