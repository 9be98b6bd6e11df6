import { addScaled } from '../linear.js';

/** The nonzero components of a vector, indices ascending. About half of a ReLU's outputs are zero. */
export interface SparseVector {
  readonly indices: Int32Array;
  readonly values: Float64Array;
}

/** The nonzero components of x[start .. start + length - 1]. */
export function compress(x: Float64Array, start: number, length: number): SparseVector {
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

/** Keeps the denominator of an update away from 0, as the reference does. */
const denominatorEpsilon = 1e-6;

/** Four roundings of single precision: below this part of its largest possible value a quadratic form is noise. */
const noise = 2 ** -22;

/** Least entry of a diagonal: that of a positive definite matrix is positive. */
const leastDiagonal = 1e-30;

/**
 * L_a^-1 of every action a, L_a = lambda I + sum of z z' over the contexts in which a was tried: symmetric [h, h] matrices
 * in single precision, kept exactly symmetric.
 */
export class InverseCovariances {
  readonly actions: number;
  readonly width: number;
  /** [A, h, h] */
  readonly matrices: Float32Array;
  /** c where a matrix is exactly c I, which needs no pass over it; NaN elsewhere. */
  readonly #multiples: Float64Array;

  /** Takes the array over and makes each matrix symmetric: the mean of an entry and its mirror. */
  constructor(actions: number, width: number, matrices: Float32Array) {
    this.actions = actions;
    this.width = width;
    this.matrices = matrices;
    this.#multiples = new Float64Array(actions);
    for (let a = 0; a < actions; a++) this.#multiples[a] = symmetrize(matrices, a * width * width, width);
  }

  /** I / lambda for every action. */
  static initial(actions: number, width: number, lambda: number): InverseCovariances {
    const matrices = new Float32Array(actions * width * width);
    for (let a = 0; a < actions; a++)
      for (let i = 0; i < width; i++) matrices[(a * width + i) * width + i] = 1 / lambda;
    return new InverseCovariances(actions, width, matrices);
  }

  /**
   * u = z' L_a^-1 z >= 0 (rounding below 0 is cut off), over the nonzero components and one half of the symmetric matrix:
   * sum_i z_i (M_ii z_i + 2 sum_{j<i} M_ij z_j).
   */
  quadraticForm(action: number, { indices, values }: SparseVector): number {
    const multiple = this.#multiples[action]!;
    if (!Number.isNaN(multiple)) return multiple * squaredNorm(values);
    const M = this.matrices;
    const count = indices.length;
    let sum = 0;
    for (let p = 0; p < count; p++) {
      const row = (action * this.width + indices[p]!) * this.width;
      let even = 0; // two chains of additions, so that one does not wait for the other
      let odd = 0;
      let q = 0;
      for (; q + 1 < p; q += 2) {
        even += M[row + indices[q]!]! * values[q]!;
        odd += M[row + indices[q + 1]!]! * values[q + 1]!;
      }
      if (q < p) even += M[row + indices[q]!]! * values[q]!;
      sum += values[p]! * (M[row + indices[p]!]! * values[p]! + 2 * (even + odd));
    }
    return Math.max(sum, 0);
  }

  /**
   * Sherman-Morrison: M -= (M z)(M z)' / (1 + z' M z + 1e-6). With w = M z / sqrt(denominator) the change of M_ij is
   * w_i w_j, the same number as that of M_ji, so M stays symmetric to the last bit.
   *
   * Where z' M z is lost in the rounding of M's entries (a context of huge norm that was seen before), nothing is
   * subtracted: the direction is known better than single precision can tell, and noise would make M indefinite.
   */
  add(action: number, z: SparseVector): void {
    const M = this.matrices;
    const h = this.width;
    const base = action * h * h;
    const w = new Float64Array(h);
    for (const [q, index] of z.indices.entries()) addScaled(z.values[q]!, M, base + index * h, w, 0, h);
    let form = 0;
    for (const [q, index] of z.indices.entries()) form += z.values[q]! * w[index]!;
    let largest = 0;
    for (let i = 0; i < h; i++) largest = Math.max(largest, M[base + i * h + i]!);
    this.#multiples[action] = NaN;
    if (form <= noise * largest * squaredNorm(z.values)) return;
    const scale = 1 / Math.sqrt(1 + form + denominatorEpsilon);
    for (let i = 0; i < h; i++) w[i]! *= scale;
    for (let i = 0; i < h; i++) {
      const wi = w[i]!;
      const row = base + i * h;
      for (let j = 0; j < h; j++) M[row + j]! -= wi * w[j]!;
      if (!(M[row + i]! > 0)) M[row + i] = leastDiagonal;
    }
  }
}

function squaredNorm(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}

/** Makes the matrix at `base` symmetric; c when it is c I, else NaN. */
function symmetrize(M: Float32Array, base: number, h: number): number {
  const c = M[base]!;
  let isMultiple = true;
  for (let i = 0; i < h; i++) {
    if (M[base + i * h + i] !== c) isMultiple = false;
    for (let j = 0; j < i; j++) {
      const lower = M[base + i * h + j]!;
      const upper = M[base + j * h + i]!;
      if (lower !== upper) M[base + i * h + j] = M[base + j * h + i] = (lower + upper) / 2;
      if (lower !== 0 || upper !== 0) isMultiple = false;
    }
  }
  return isMultiple ? c : NaN;
}
