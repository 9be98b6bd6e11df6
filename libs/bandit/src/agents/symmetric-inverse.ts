import { Random } from '@a2sf/random';
import { choleskyInverse, packedLength, packedRow } from '../cholesky.js';
import { toPair } from './pairs.js';
import { squaredNorm, type SparseVector } from '../sparse-vector.js';

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
  #inverse: Float32Array;
  /** Empty until it is needed: M of a file that tells no L is inverted on the first addition. */
  #sum: Float64Array;
  #leases: Lease[] = [];

  private constructor(width: number, multiple: number, inverse: Float32Array, sum: Float64Array) {
    this.width = width;
    this.#multiple = multiple;
    this.#inverse = inverse;
    this.#sum = sum;
  }

  /** M = c I. */
  static multiple(width: number, c: number): SymmetricInverse {
    return new SymmetricInverse(width, Math.fround(c), new Float32Array(), new Float64Array());
  }

  /**
   * M of a full [h, h] matrix at `start`, each entry the mean of it and its mirror; `sum` is the packed L, empty where it
   * is not known.
   */
  static of(width: number, full: Float32Array, start: number, sum: Float64Array): SymmetricInverse {
    const inverse = new Float32Array(packedLength(width));
    const c = full[start]!;
    let isMultiple = sum.length === 0;
    for (let i = 0, at = 0; i < width; i++) {
      for (let j = 0; j <= i; j++, at++) {
        const lower = full[start + i * width + j]!;
        const upper = full[start + j * width + i]!;
        const entry = lower === upper ? lower : (lower + upper) / 2;
        inverse[at] = entry;
        if (entry !== (i === j ? c : 0)) isMultiple = false;
      }
    }
    return isMultiple ? SymmetricInverse.multiple(width, c) : new SymmetricInverse(width, NaN, inverse, sum);
  }

  /** c where M is exactly c I, else NaN. */
  get multipleOf(): number {
    return this.#multiple;
  }

  /** L, packed; empty where it is not held. Not a copy. */
  get sum(): Float64Array {
    return this.#sum;
  }

  /** A copy that goes its own way. */
  clone(): SymmetricInverse {
    return new SymmetricInverse(this.width, this.#multiple, this.#inverse.slice(), this.#sum.slice());
  }

  /** The arrays, not copied; while `lease` is held, an addition is made to copies of them. */
  arrays(lease?: Lease): InverseArrays {
    if (lease !== undefined) this.#leases.push(lease);
    return { multiple: this.#multiple, inverse: this.#inverse, sum: this.#sum };
  }

  /**
   * u = z' M z >= 0, over the nonzero components: sum_i z_i (M_ii z_i + 2 sum_{j<i} M_ij z_j). Rounding may leave it
   * below 0 where it is small; that is cut off, and hides no drift, which is measured on L M - I.
   */
  quadraticForm(z: SparseVector): number {
    if (this.#isMultiple()) return this.#multiple * squaredNorm(z);
    const { indices, values } = z;
    const M = this.#inverse;
    const count = indices.length;
    let sum = 0;
    for (let p = 0; p < count; p++) {
      const row = packedRow(indices[p]!);
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
  add(z: SparseVector, count: number): Drift | undefined {
    this.#part();
    this.#unfold();
    this.#accumulate(z);
    this.#subtract(z);
    return count % driftInterval === 0 ? this.#watch(count) : undefined;
  }

  /** Estimate of ||L M - I||_F / sqrt(h), the same for the same `seed`. L must be held. */
  drift(seed: number): number {
    const random = new Random(seed);
    const v = Float64Array.from({ length: this.width }, () => (random.uint32() < 2 ** 31 ? 1 : -1));
    const product = symmetricProduct(this.#sum, symmetricProduct(this.#inverse, v));
    let squares = 0;
    for (let i = 0; i < v.length; i++) squares += (product[i]! - v[i]!) ** 2;
    return Math.sqrt(squares / v.length);
  }

  /** The drift above which M is computed anew. L must be held. */
  tolerance(): number {
    let trace = 0;
    let largest = 0;
    for (let i = 0; i < this.width; i++) {
      const diagonal = packedRow(i) + i;
      trace += this.#sum[diagonal]!;
      largest = Math.max(largest, this.#inverse[diagonal]!);
    }
    return driftTolerance + noise * trace * largest;
  }

  #isMultiple(): boolean {
    return !Number.isNaN(this.#multiple);
  }

  #watch(seed: number): Drift {
    const drift = this.drift(seed);
    if (drift <= this.tolerance()) return { drift, rebuilt: false };
    const inverse = choleskyInverse(this.#sum, this.width);
    if (inverse === undefined) return { drift, rebuilt: false }; // L is singular even to double precision
    this.#inverse = Float32Array.from(inverse);
    return { drift, rebuilt: true };
  }

  /** Leaves arrays that are read by others to them. */
  #part(): void {
    if (this.#leases.some(({ isHeld }) => isHeld)) {
      this.#inverse = this.#inverse.slice();
      this.#sum = this.#sum.slice();
    }
    this.#leases = [];
  }

  /** Makes the arrays of a matrix that is about to change. */
  #unfold(): void {
    const h = this.width;
    if (this.#isMultiple()) {
      this.#inverse = new Float32Array(packedLength(h));
      this.#sum = new Float64Array(packedLength(h));
      for (let i = 0; i < h; i++) {
        this.#inverse[packedRow(i) + i] = this.#multiple;
        this.#sum[packedRow(i) + i] = toPair(1 / this.#multiple);
      }
      this.#multiple = NaN;
    } else if (this.#sum.length === 0) {
      this.#derive();
    }
  }

  /** L = (M + delta I)^-1 for the least delta of 0 and max_i M_ii 2^-22 8^k where a Cholesky exists; M is then that of L. */
  #derive(): void {
    const matrix = Float64Array.from(this.#inverse);
    let largest = 0;
    for (let i = 0; i < this.width; i++) largest = Math.max(largest, matrix[packedRow(i) + i]!);
    let added = 0;
    for (let delta = 0; ; delta = delta === 0 ? noise * largest : 8 * delta) {
      for (let i = 0; i < this.width; i++) matrix[packedRow(i) + i]! += delta - added;
      added = delta;
      const sum = choleskyInverse(matrix, this.width);
      if (sum === undefined) continue; // ends: with a large delta the diagonal dominates
      this.#sum = sum.map(toPair);
      if (delta > 0) this.#inverse = Float32Array.from(matrix);
      return;
    }
  }

  #accumulate({ indices, values }: SparseVector): void {
    const L = this.#sum;
    for (let p = 0; p < indices.length; p++) {
      const row = packedRow(indices[p]!);
      const factor = values[p]! / (1 + denominatorEpsilon);
      for (let q = 0; q <= p; q++) {
        const at = row + indices[q]!;
        L[at] = toPair(L[at]! + factor * values[q]!);
      }
    }
  }

  #subtract(z: SparseVector): void {
    const M = this.#inverse;
    const h = this.width;
    const w = sparseProduct(M, h, z);
    let form = 0;
    for (let q = 0; q < z.indices.length; q++) form += z.values[q]! * w[z.indices[q]!]!;
    let largest = 0;
    for (let i = 0; i < h; i++) largest = Math.max(largest, M[packedRow(i) + i]!);
    if (form <= noise * largest * squaredNorm(z)) return;
    const scale = 1 / Math.sqrt(1 + form + denominatorEpsilon);
    for (let i = 0; i < h; i++) w[i]! *= scale;
    for (let i = 0; i < h; i++) {
      const wi = w[i]!;
      const row = packedRow(i);
      for (let j = 0; j <= i; j++) M[row + j]! -= wi * w[j]!;
      if (!(M[row + i]! > 0)) M[row + i] = leastDiagonal;
    }
  }
}

/** M z for packed M, each sum in the order of z's indices. */
function sparseProduct(M: Float32Array, h: number, { indices, values }: SparseVector): Float64Array {
  const w = new Float64Array(h);
  let next = 0; // the first of z's indices that is not below i
  for (let i = 0; i < h; i++) {
    const row = packedRow(i);
    let sum = 0;
    for (let q = 0; q < next; q++) sum += M[row + indices[q]!]! * values[q]!;
    w[i] = sum;
    if (next === indices.length || indices[next] !== i) continue;
    const zi = values[next++]!;
    for (let j = 0; j <= i; j++) w[j]! += zi * M[row + j]!;
  }
  return w;
}

/** S v for packed symmetric S. */
function symmetricProduct(S: Float32Array | Float64Array, v: Float64Array): Float64Array {
  const product = new Float64Array(v.length);
  for (let i = 0; i < v.length; i++) {
    const row = packedRow(i);
    const vi = v[i]!;
    let sum = 0;
    for (let j = 0; j < i; j++) {
      sum += S[row + j]! * v[j]!;
      product[j]! += S[row + j]! * vi;
    }
    product[i]! += sum + S[row + i]! * vi;
  }
  return product;
}
