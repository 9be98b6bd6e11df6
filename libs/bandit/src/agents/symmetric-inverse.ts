import { Random } from '@a2sf/random';
import { choleskyInverse, packedRow } from '../cholesky.js';
import { toPair } from './pairs.js';
import { ownRoom, type Room } from './matrix-room.js';
import { squaredNorm, type SparseVector } from '../sparse-vector.js';
import { addOuter, quadraticForm, sparseProduct, subtractOuter, symmetricProduct } from './packed-matrix.js';

/** Keeps the denominator of an update away from 0, as the reference does. */
const denominatorEpsilon = 1e-6;

/** Four roundings of single precision: below this part of its largest possible value a quadratic form is noise. */
const noise = 2 ** -22;

/** Least entry of a diagonal: that of a positive definite matrix is positive. */
const leastDiagonal = 1e-30;

/** Additions to a matrix between two measurements of its drift. */
export const driftInterval = 64;

/** Largest drift that is left alone, above what single precision cannot avoid. */
export const driftTolerance = 1e-3;

/** What a measurement of the drift found. */
export interface Drift {
  /** Estimate of ||L M - I||_F / sqrt(h). */
  readonly drift: number;
  /** M was computed anew from L. */
  readonly rebuilt: boolean;
}

/** Whoever reads matrices while their owner goes on; they are left as they are until it is held no more. */
export interface Lease {
  isHeld: boolean;
}

/** Is told what an addition does to M. */
export interface StepRecord {
  /** M -= w w' */
  took(w: Float64Array): void;
  /** M was computed anew. */
  breaks(): void;
}

/** The arrays of a matrix: c where M is exactly c I, else NaN; M and L packed, or empty. */
export interface InverseArrays {
  readonly multiple: number;
  readonly inverse: Float32Array;
  readonly sum: Float64Array;
}

/**
 * L = lambda I + sum of c z z' and M = L^-1 under additions, both symmetric [h, h] and packed (lower halves).
 *
 * M is in single precision and follows by Sherman-Morrison. Its denominator 1 + z' M z + 1e-6 is that of an exact
 * inverse where each addition weighs c = 1 / (1 + 1e-6), so L is accumulated with that c. L is held as the sum of two
 * single-precision numbers, 48 bits, and is the truth: roundings do not add up in it beyond 2^-48 of an entry each.
 *
 * The drift ||L M - I||_F / sqrt(h) is estimated on every 64th addition, as ||L M v - v|| / ||v|| for a random vector v
 * of signs (Hutchinson 1990: its square is right on average). Above
 *
 *     1e-3 + 2^-22 trace(L) max_i M_ii
 *
 * M is computed anew from a Cholesky of L in double precision. The second term bounds what rounding the entries of M
 * to single precision once costs, with a margin of four: no rebuild could do better.
 *
 * An untouched matrix is c I and holds no array.
 */
export class SymmetricInverse {
  readonly width: number;
  /** c where M is exactly c I, else NaN. */
  #multiple: number;
  /** Undefined until it is needed. */
  #room: Room | undefined;
  readonly #roomFor: () => Room;
  /** M of a file that tells no L is inverted on the first addition. */
  #hasSum: boolean;
  #views: { readonly lease: Lease; readonly view: { -readonly [K in keyof InverseArrays]: InverseArrays[K] } }[] = [];

  private constructor(width: number, multiple: number, roomFor: () => Room, room?: Room, hasSum = false) {
    this.width = width;
    this.#multiple = multiple;
    this.#roomFor = roomFor;
    this.#room = room;
    this.#hasSum = hasSum;
  }

  /** M = c I. `roomFor` is asked when that changes. */
  static multiple(width: number, c: number, roomFor = () => ownRoom(width)): SymmetricInverse {
    return new SymmetricInverse(width, Math.fround(c), roomFor);
  }

  /**
   * M of a full [h, h] matrix, each entry the mean of it and its mirror; `sum` is the packed L, empty where it is not known.
   */
  static of(width: number, full: Float32Array, sum: Float64Array, roomFor = () => ownRoom(width)): SymmetricInverse {
    const c = full[0]!;
    if (sum.length === 0 && isMultiple(full, width, c)) return SymmetricInverse.multiple(width, c, roomFor);
    const room = roomFor();
    for (let i = 0, at = 0; i < width; i++) {
      for (let j = 0; j <= i; j++, at++) room.inverse[at] = meanEntry(full, width, i, j);
    }
    if (sum.length > 0) room.sum.set(sum);
    return new SymmetricInverse(width, NaN, roomFor, room, sum.length > 0);
  }

  /** c where M is exactly c I, else NaN. */
  get multipleOf(): number {
    return this.#multiple;
  }

  /** L, packed; empty where it is not held. Not a copy. */
  get sum(): Float64Array {
    return this.#hasSum ? this.#room!.sum : new Float64Array();
  }

  /** A copy that goes its own way. */
  clone(roomFor = () => ownRoom(this.width)): SymmetricInverse {
    if (this.#room === undefined) return new SymmetricInverse(this.width, this.#multiple, roomFor);
    const room = roomFor();
    room.inverse.set(this.#room.inverse);
    if (this.#hasSum) room.sum.set(this.#room.sum);
    return new SymmetricInverse(this.width, this.#multiple, roomFor, room, this.#hasSum);
  }

  /** The arrays, not copied; while `lease` is held, they stay as they are. */
  arrays(lease?: Lease): InverseArrays {
    const view = { multiple: this.#multiple, inverse: this.#inverse, sum: this.sum };
    if (lease !== undefined) this.#views.push({ lease, view });
    return view;
  }

  /**
   * u = z' M z >= 0, over the nonzero components: sum_i z_i (M_ii z_i + 2 sum_{j<i} M_ij z_j). Rounding may leave it
   * below 0 where it is small; that is cut off, and hides no drift, which is measured on L M - I.
   */
  quadraticForm(z: SparseVector): number {
    if (this.#isMultiple()) return this.#multiple * squaredNorm(z);
    return Math.max(quadraticForm(this.#inverse, z), 0);
  }

  /** M v */
  product(v: Float64Array): Float64Array {
    return this.#isMultiple() ? v.map((value) => this.#multiple * value) : symmetricProduct(this.#inverse, v);
  }

  /**
   * L += c z z' and, by Sherman-Morrison, M -= (M z)(M z)' / (1 + z' M z + 1e-6). `count` is the number of additions with
   * this one; the drift is measured on every 64th. Cost: h^2 / 2 steps.
   *
   * Where z' M z is lost in the rounding of M's entries (a context of huge norm that was seen before), nothing is
   * subtracted from M: the direction is known better than single precision can tell, and noise would make M indefinite.
   */
  add(z: SparseVector, count: number, record?: StepRecord): Drift | undefined {
    this.#part();
    if (this.#unfold()) record?.breaks();
    addOuter(this.sum, z, 1 + denominatorEpsilon);
    const w = this.#direction(z);
    if (w !== undefined) {
      this.#subtract(w);
      record?.took(w);
    }
    const drift = count % driftInterval === 0 ? this.#watch(count) : undefined;
    if (drift?.rebuilt === true) record?.breaks();
    return drift;
  }

  /** M -= w w', a step that another matrix took; L is not known from here on. */
  step(w: Float64Array): void {
    this.#part();
    if (this.#isMultiple()) this.#unfoldInverse();
    this.#hasSum = false;
    this.#subtract(w);
  }

  /** Estimate of ||L M - I||_F / sqrt(h), the same for the same `seed`. L must be held. */
  drift(seed: number): number {
    const random = new Random(seed);
    const v = Float64Array.from({ length: this.width }, () => (random.uint32() < 2 ** 31 ? 1 : -1));
    const product = symmetricProduct(this.sum, symmetricProduct(this.#inverse, v));
    let squares = 0;
    for (let i = 0; i < v.length; i++) squares += (product[i]! - v[i]!) ** 2;
    return Math.sqrt(squares / v.length);
  }

  /** The drift above which M is computed anew. L must be held. */
  tolerance(): number {
    const { inverse, sum } = this.#room!;
    let trace = 0;
    let largest = 0;
    for (let i = 0; i < this.width; i++) {
      const diagonal = packedRow(i) + i;
      trace += sum[diagonal]!;
      largest = Math.max(largest, inverse[diagonal]!);
    }
    return driftTolerance + noise * trace * largest;
  }

  #isMultiple(): boolean {
    return !Number.isNaN(this.#multiple);
  }

  #watch(seed: number): Drift {
    const drift = this.drift(seed);
    if (drift <= this.tolerance()) return { drift, rebuilt: false };
    const inverse = choleskyInverse(this.sum, this.width);
    if (inverse === undefined) return { drift, rebuilt: false }; // L is singular even to double precision
    this.#inverse.set(inverse);
    return { drift, rebuilt: true };
  }

  get #inverse(): Float32Array {
    return this.#room?.inverse ?? new Float32Array();
  }

  /** Gives copies to those who read arrays that are about to change. */
  #part(): void {
    const held = this.#views.filter(({ lease }) => lease.isHeld);
    this.#views = [];
    if (held.length === 0 || this.#room === undefined) return;
    const inverse = this.#inverse.slice();
    const sum = this.sum.slice();
    for (const { view } of held) {
      view.inverse = inverse;
      view.sum = sum;
    }
  }

  /** Makes the arrays of a matrix that is about to change. True when M itself had to be changed for it. */
  #unfold(): boolean {
    if (!this.#isMultiple()) return this.#hasSum ? false : this.#derive();
    const c = this.#multiple;
    const { sum } = this.#unfoldInverse();
    for (let i = 0; i < this.width; i++) sum[packedRow(i) + i] = toPair(1 / c);
    this.#hasSum = true;
    return false;
  }

  #unfoldInverse(): Room {
    this.#room = this.#roomFor();
    for (let i = 0; i < this.width; i++) this.#room.inverse[packedRow(i) + i] = this.#multiple;
    this.#multiple = NaN;
    return this.#room;
  }

  /** L = (M + delta I)^-1 for the least delta of 0 and max_i M_ii 2^-22 8^k where a Cholesky exists; M is then that of L. True when delta > 0. */
  #derive(): boolean {
    const matrix = Float64Array.from(this.#inverse);
    let largest = 0;
    for (let i = 0; i < this.width; i++) largest = Math.max(largest, matrix[packedRow(i) + i]!);
    let added = 0;
    for (let delta = 0; ; delta = delta === 0 ? noise * largest : 8 * delta) {
      for (let i = 0; i < this.width; i++) matrix[packedRow(i) + i]! += delta - added;
      added = delta;
      const sum = choleskyInverse(matrix, this.width);
      if (sum === undefined) continue; // ends: with a large delta the diagonal dominates
      for (let i = 0; i < sum.length; i++) this.#room!.sum[i] = toPair(sum[i]!);
      this.#hasSum = true;
      if (delta > 0) this.#inverse.set(matrix);
      return delta > 0;
    }
  }

  /** w = M z / sqrt(1 + z' M z + 1e-6); undefined where z' M z is lost in rounding. */
  #direction(z: SparseVector): Float64Array | undefined {
    const M = this.#inverse;
    const h = this.width;
    const w = sparseProduct(M, h, z);
    let form = 0;
    for (let q = 0; q < z.indices.length; q++) form += z.values[q]! * w[z.indices[q]!]!;
    let largest = 0;
    for (let i = 0; i < h; i++) largest = Math.max(largest, M[packedRow(i) + i]!);
    if (form <= noise * largest * squaredNorm(z)) return undefined;
    const scale = 1 / Math.sqrt(1 + form + denominatorEpsilon);
    for (let i = 0; i < h; i++) w[i]! *= scale;
    return w;
  }

  /** M -= w w' */
  #subtract(w: Float64Array): void {
    const M = this.#inverse;
    subtractOuter(M, w);
    for (let i = 0; i < w.length; i++) {
      const diagonal = packedRow(i) + i;
      if (!(M[diagonal]! > 0)) M[diagonal] = leastDiagonal;
    }
  }
}

function meanEntry(full: Float32Array, width: number, i: number, j: number): number {
  const lower = full[i * width + j]!;
  const upper = full[j * width + i]!;
  return lower === upper ? lower : (lower + upper) / 2;
}

function isMultiple(full: Float32Array, width: number, c: number): boolean {
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) if (meanEntry(full, width, i, j) !== (i === j ? c : 0)) return false;
  }
  return true;
}
