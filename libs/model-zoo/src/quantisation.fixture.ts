import { quantisedShapes, type Bits, type QuantisedMatrix } from './quantisation.js';

/** The plain reading of a quantised matrix: w[n, k] = scale * (q - zero) of its block. */
export function dequantised(
  { blocks, scales, zeros }: QuantisedMatrix,
  shape: readonly [number, number],
  bits: Bits,
): Float32Array {
  const [rows, width] = shape;
  const sizes = quantisedShapes(shape, bits);
  const [perRow, bytes, zeroBytes] = [sizes.blocks[1]!, sizes.blocks[2]!, sizes.zeros[1]!];
  const number = (from: Uint8Array, at: number, i: number): number =>
    bits === 8 ? from[at + i]! : (from[at + Math.floor(i / 2)]! / (i % 2 === 0 ? 1 : 16)) & 15;
  return Float32Array.from({ length: rows * width }, (_, i) => {
    const row = Math.floor(i / width);
    const block = Math.floor((i % width) / 32);
    const q = number(blocks, (row * perRow + block) * bytes, (i % width) % 32);
    return scales[row * perRow + block]! * (q - number(zeros, row * zeroBytes, block));
  });
}

/**
 * The least squared error of rounding a block to 4 bits, every candidate tried in plain words: the range narrowed to c,
 * the zero point moved by d, and with `refined` the scale that fits the rounded numbers best.
 */
export function naiveError(block: readonly number[], shifts: readonly number[], refined: boolean): number {
  const lo = Math.min(0, ...block);
  const hi = Math.max(0, ...block);
  const errorOf = (scale: number, zero: number): { q: number[]; error: number } => {
    const q = block.map((x) => Math.min(15, Math.max(0, Math.round(x / scale) + zero)) - zero);
    return { q, error: block.reduce((sum, x, i) => sum + (x - scale * q[i]!) ** 2, 0) };
  };
  if (Math.fround((hi - lo) / 15) < 2 ** -126) return block.reduce((sum, x) => sum + x * x, 0);
  const errors: number[] = [];
  for (const c of [1, 0.95, 0.9, 0.85, 0.8, 0.75]) {
    for (const shift of shifts) {
      const step = (c * (hi - lo)) / 15;
      const zero = Math.round((-lo / (hi - lo)) * 15) + shift;
      if (zero < 0 || zero > 15) continue;
      const rounded = errorOf(step, zero);
      errors.push(rounded.error);
      if (!refined) continue;
      const products = block.reduce((sum, x, i) => sum + x * rounded.q[i]!, 0);
      const squares = rounded.q.reduce((sum, x) => sum + x * x, 0);
      const scale = products / squares;
      errors.push(block.reduce((sum, x, i) => sum + (x - scale * rounded.q[i]!) ** 2, 0));
    }
  }
  return Math.min(...errors);
}
