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
