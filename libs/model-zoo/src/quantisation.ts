/** The form that linear layers are stored and computed in. */
export type WeightFormat = 'float32' | 'int8' | 'int4';

/** Bits of one quantised weight. */
export type Bits = 4 | 8;

/** Matrices whose rounding to 4 bits costs the most quality a weight: heads, values, and the MLP's way back. */
const keen = /(?:^|\.)(?:lm_head|embed_tokens|v_proj|down_proj|fc2)\.weight$/;

/** Bits that a matrix is kept in: int4 keeps the keen ones in 8 (docs/quantisation.md has what that gains and costs). */
export function matrixBits(name: string, format: Exclude<WeightFormat, 'float32'>): Bits {
  return format === 'int8' || keen.test(name) ? 8 : 4;
}

/** The name of what quantiseRows and matrixBits do: any change of their results is a new number. */
export const algorithm = 'a2sf-blocks-2';

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
 * How far the range of a block is narrowed: 4-bit levels are few, so that clipping one outlier a little may gain more on
 * the others.
 */
const narrowings = [1, 0.95, 0.9, 0.85, 0.8, 0.75];

/** By how many levels the zero point is moved. */
const shifts = [0, -1, 1];

/**
 * Rounds rows of weights block by block: w ~ scale * (q - zero), q and zero whole numbers of 0..L, L = 2^bits - 1. With
 * lo = min(0, w) and hi = max(0, w) of the block, 8 bits take scale = (hi - lo) / L and zero = round(-lo / scale): each
 * error is at most scale / 2. 4 bits take the least squared error of a search that begins there (`search`). Positions
 * behind the end of a row hold the zero point.
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
      const block = row * perRow + j;
      const { scale, zero } = fitBlock(rows.subarray(start, end), levels, bits === 4);
      scales[block] = scale;
      pack(zeros, row * zeroBytes, j, zero, bits);
      q.fill(zero);
      for (let i = start; i < end; i++) q[i - start] = nearest(rows[i]! / scale, zero, levels);
      for (let i = 0; i < blockSize; i++) pack(blocks, block * bytesPerBlock, i, q[i]!, bits);
    }
  }
  return { blocks, scales, zeros };
}

interface Fit {
  /** A float32. */
  readonly scale: number;
  readonly zero: number;
}

function fitBlock(w: Float32Array, levels: number, searched: boolean): Fit {
  let lo = 0;
  let hi = 0;
  for (let i = 0; i < w.length; i++) {
    const value = w[i]!;
    if (value < lo) lo = value;
    if (value > hi) hi = value;
  }
  const scale = Math.fround((hi - lo) / levels);
  if (scale < smallestScale) return { scale: 1, zero: 0 }; // a block of zeros, or of what rounds to them
  const covering = { scale, zero: Math.min(levels, Math.round(-lo / scale)) };
  return searched ? search(w, levels, lo, hi, covering) : covering;
}

/**
 * For every narrowing c and shift d: q_i of the step c (hi - lo) / L and of zero = round(-lo L / (hi - lo)) + d, then the
 * scale that is best for them, s = sum w q / sum q^2 (q counted from the zero point), whose squared error is
 * sum w^2 - s sum w q: the least of these is taken. Rounding to s once more lessens the error again.
 */
function search(w: Float32Array, levels: number, lo: number, hi: number, covering: Fit): Fit {
  let best = covering;
  let most = 0; // s sum w q: what is taken off sum w^2
  for (const narrowing of narrowings) {
    const perStep = levels / (narrowing * (hi - lo));
    for (const shift of shifts) {
      const zero = covering.zero + shift;
      if (zero < 0 || zero > levels) continue;
      let products = 0;
      let squares = 0;
      for (let i = 0; i < w.length; i++) {
        const value = w[i]!;
        const q = nearest(value * perStep, zero, levels) - zero;
        products += value * q;
        squares += q * q;
      }
      const scale = Math.fround(products / squares); // NaN where all q are 0
      if (scale >= smallestScale && scale * products > most) {
        most = scale * products;
        best = { scale, zero };
      }
    }
  }
  return best;
}

/** Below it a float32 loses digits, and its reciprocal overflows. */
const smallestScale = 2 ** -126;

function nearest(x: number, zero: number, levels: number): number {
  const q = Math.floor(x + zero + 0.5);
  return q < 0 ? 0 : q > levels ? levels : q;
}

/** Writes the i-th number of a row of packed ones that begins at byte `at`; 4-bit ones must be zero before. */
function pack(bytes: Uint8Array, at: number, i: number, value: number, bits: Bits): void {
  if (bits === 8) bytes[at + i] = value;
  else bytes[at + (i >> 1)]! |= (i & 1) === 0 ? value : value << 4;
}
