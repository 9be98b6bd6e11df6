/** The form that linear layers are stored and computed in. */
export type WeightFormat = 'float32' | 'int8' | 'int4';

/** Bits of one quantised weight. */
export type Bits = 4 | 8;

export const bitsOf: Readonly<Record<Exclude<WeightFormat, 'float32'>, Bits>> = { int8: 8, int4: 4 };

/** Weights of a row that share a scale and a zero point. */
export const blockSize = 32;

/** What W [N, K] is stored as, J = ceil(K / 32) blocks a row: the layout of onnxruntime's MatMulNBits. */
export interface QuantisedMatrix {
  /** [N, J, 32 * bits / 8]: of two 4-bit weights the first is the low half of its byte. */
  readonly blocks: Uint8Array;
  /** [N, J] */
  readonly scales: Float32Array;
  /** [N, ceil(J * bits / 8)]: packed as the weights are; every row begins with a byte of its own. */
  readonly zeros: Uint8Array;
}

/** The shapes of a quantised W [N, K]. */
export function quantisedShapes([rows, width]: readonly [number, number], bits: Bits) {
  const perRow = Math.ceil(width / blockSize);
  return {
    blocks: [rows, perRow, (blockSize * bits) / 8],
    scales: [rows, perRow],
    zeros: [rows, Math.ceil((perRow * bits) / 8)],
  };
}

/**
 * How far the range of a block is narrowed, at most: 4-bit levels are few, so that clipping one outlier a little may gain
 * more on the others. The narrowing with the least squared error is taken; the first is none.
 */
const narrowings: Readonly<Record<Bits, readonly number[]>> = { 4: [1, 0.95, 0.9, 0.85, 0.8, 0.75], 8: [1] };

/**
 * Rounds rows of weights block by block: w ~ scale * (q - zero), q and zero whole numbers of 0..L, L = 2^bits - 1. With
 * lo = min(0, w), hi = max(0, w) of the block and a narrowing c, scale = c (hi - lo) / L and zero = round(-c lo / scale):
 * unless narrowed, each error is at most scale / 2; narrowed, the block's squared error is no larger. Positions behind
 * the end of a row hold the zero point.
 * @param rows [N, width], all finite.
 */
export function quantiseRows(rows: Float32Array, width: number, bits: Bits): QuantisedMatrix {
  const count = rows.length / width;
  const perRow = Math.ceil(width / blockSize);
  const bytesPerBlock = (blockSize * bits) / 8;
  const zeroBytes = Math.ceil((perRow * bits) / 8);
  const blocks = new Uint8Array(count * perRow * bytesPerBlock);
  const scales = new Float32Array(count * perRow);
  const zeros = new Uint8Array(count * zeroBytes);
  const levels = 2 ** bits - 1;
  const q = new Uint8Array(blockSize);
  for (let row = 0; row < count; row++) {
    for (let j = 0; j < perRow; j++) {
      const start = row * width + j * blockSize;
      const end = Math.min(start + blockSize, (row + 1) * width);
      const { scale, zero } = fitBlock(rows, start, end, levels, narrowings[bits]);
      const block = row * perRow + j;
      scales[block] = scale;
      pack(zeros, row * zeroBytes, j, zero, bits);
      q.fill(zero);
      for (let i = start; i < end; i++) q[i - start] = nearest(rows[i]! / scale, zero, levels);
      for (let i = 0; i < blockSize; i++) pack(blocks, block * bytesPerBlock, i, q[i]!, bits);
    }
  }
  return { blocks, scales, zeros };
}

/** The scale (a float32) and the zero point of w[start, end). */
function fitBlock(
  w: Float32Array,
  start: number,
  end: number,
  levels: number,
  narrowed: readonly number[],
): { scale: number; zero: number } {
  let lo = 0;
  let hi = 0;
  for (let i = start; i < end; i++) {
    const value = w[i]!;
    if (value < lo) lo = value;
    if (value > hi) hi = value;
  }
  let best = { scale: 1, zero: 0 };
  let least = Infinity;
  for (const c of narrowed) {
    const scale = Math.fround((c * (hi - lo)) / levels);
    if (scale < smallestScale) break; // a block of zeros, or of what rounds to them
    const zero = Math.min(levels, Math.round((-c * lo) / scale));
    let error = 0;
    if (narrowed.length > 1) {
      for (let i = start; i < end; i++) {
        const x = w[i]! / scale;
        error += (x - (nearest(x, zero, levels) - zero)) ** 2;
      }
      error *= scale * scale;
    }
    if (error < least) {
      least = error;
      best = { scale, zero };
    }
  }
  return best;
}

/** Below it a float32 loses digits, and its reciprocal overflows. */
const smallestScale = 2 ** -126;

function nearest(x: number, zero: number, levels: number): number {
  const q = Math.round(x) + zero;
  return q < 0 ? 0 : q > levels ? levels : q;
}

/** Writes the i-th number of a row of packed ones that begins at byte `at`; 4-bit ones must be zero before. */
function pack(bytes: Uint8Array, at: number, i: number, value: number, bits: Bits): void {
  if (bits === 8) bytes[at + i] = value;
  else bytes[at + (i >> 1)]! |= (i & 1) === 0 ? value : value << 4;
}
