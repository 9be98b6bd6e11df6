import { packedRow } from '../cholesky.js';
import type { SparseVector } from '../sparse-vector.js';
import { toPair } from './pairs.js';

// What is done with a packed symmetric matrix at every step. All work on several rows at a time: one row's additions do not
// wait for another's, and what is read is used more than once. No sum's order depends on that, so no bit does.

/** z' M z = sum_i z_i (M_ii z_i + 2 sum_{j<i} M_ij z_j) over the nonzero components; each inner sum in two chains, of even and odd places in z. */
export function quadraticForm(M: Float32Array, { indices, values }: SparseVector): number {
  const count = indices.length;
  const whole = count - (count % 4);
  let sum = 0;
  // Four rows at a time, each with two chains of additions, so that none waits for another.
  for (let p = 0; p < whole; p += 4) {
    const i0 = indices[p]!;
    const i1 = indices[p + 1]!;
    const i2 = indices[p + 2]!;
    const row0 = packedRow(i0);
    const row1 = packedRow(i1);
    const row2 = packedRow(i2);
    const row3 = packedRow(indices[p + 3]!);
    let even0 = 0;
    let even1 = 0;
    let even2 = 0;
    let even3 = 0;
    let odd0 = 0;
    let odd1 = 0;
    let odd2 = 0;
    let odd3 = 0;
    for (let q = 0; q < p; q += 2) {
      const j = indices[q]!;
      const v = values[q]!;
      even0 += M[row0 + j]! * v;
      even1 += M[row1 + j]! * v;
      even2 += M[row2 + j]! * v;
      even3 += M[row3 + j]! * v;
      const k = indices[q + 1]!;
      const u = values[q + 1]!;
      odd0 += M[row0 + k]! * u;
      odd1 += M[row1 + k]! * u;
      odd2 += M[row2 + k]! * u;
      odd3 += M[row3 + k]! * u;
    }
    const v0 = values[p]!;
    const v1 = values[p + 1]!;
    const v2 = values[p + 2]!;
    const v3 = values[p + 3]!;
    even1 += M[row1 + i0]! * v0;
    even2 += M[row2 + i0]! * v0;
    odd2 += M[row2 + i1]! * v1;
    even3 += M[row3 + i0]! * v0;
    odd3 += M[row3 + i1]! * v1;
    even3 += M[row3 + i2]! * v2;
    sum += v0 * (M[row0 + i0]! * v0 + 2 * (even0 + odd0));
    sum += v1 * (M[row1 + i1]! * v1 + 2 * (even1 + odd1));
    sum += v2 * (M[row2 + i2]! * v2 + 2 * (even2 + odd2));
    sum += v3 * (M[row3 + indices[p + 3]!]! * v3 + 2 * (even3 + odd3));
  }
  for (let p = whole; p < count; p++) {
    const row = packedRow(indices[p]!);
    let even = 0;
    let odd = 0;
    let q = 0;
    for (; q + 1 < p; q += 2) {
      even += M[row + indices[q]!]! * values[q]!;
      odd += M[row + indices[q + 1]!]! * values[q + 1]!;
    }
    if (q < p) even += M[row + indices[q]!]! * values[q]!;
    sum += values[p]! * (M[row + indices[p]!]! * values[p]! + 2 * (even + odd));
  }
  return sum;
}

/** L += z z' / c for packed L of numbers that a pair of single-precision numbers holds, two rows at a time. */
export function addOuter(L: Float64Array, { indices, values }: SparseVector, c: number): void {
  const whole = indices.length - (indices.length % 2);
  for (let p = 0; p < whole; p += 2) {
    const row0 = packedRow(indices[p]!);
    const row1 = packedRow(indices[p + 1]!);
    const factor0 = values[p]! / c;
    const factor1 = values[p + 1]! / c;
    for (let q = 0; q <= p; q++) {
      const j = indices[q]!;
      const v = values[q]!;
      addPair(L, row0 + j, factor0 * v);
      addPair(L, row1 + j, factor1 * v);
    }
    addPair(L, row1 + indices[p + 1]!, factor1 * values[p + 1]!);
  }
  for (let p = whole; p < indices.length; p++) {
    const row = packedRow(indices[p]!);
    for (let q = 0; q <= p; q++) addPair(L, row + indices[q]!, (values[p]! / c) * values[q]!);
  }
}

function addPair(L: Float64Array, at: number, value: number): void {
  L[at] = toPair(L[at]! + value);
}

/** M -= w w' for packed M, four rows at a time: a number of w that is loaded is used four times. */
export function subtractOuter(M: Float32Array, w: Float64Array): void {
  const h = w.length;
  const whole = h - (h % 4);
  for (let i = 0; i < whole; i += 4) {
    const row0 = packedRow(i);
    const row1 = packedRow(i + 1);
    const row2 = packedRow(i + 2);
    const row3 = packedRow(i + 3);
    const w0 = w[i]!;
    const w1 = w[i + 1]!;
    const w2 = w[i + 2]!;
    const w3 = w[i + 3]!;
    for (let j = 0; j <= i; j++) {
      const wj = w[j]!;
      M[row0 + j]! -= w0 * wj;
      M[row1 + j]! -= w1 * wj;
      M[row2 + j]! -= w2 * wj;
      M[row3 + j]! -= w3 * wj;
    }
    M[row1 + i + 1]! -= w1 * w1;
    M[row2 + i + 1]! -= w2 * w1;
    M[row2 + i + 2]! -= w2 * w2;
    M[row3 + i + 1]! -= w3 * w1;
    M[row3 + i + 2]! -= w3 * w2;
    M[row3 + i + 3]! -= w3 * w3;
  }
  for (let i = whole; i < h; i++) {
    const row = packedRow(i);
    for (let j = 0; j <= i; j++) M[row + j]! -= w[i]! * w[j]!;
  }
}

/** M z for packed M, each sum in the order of z's indices: what lies left of the diagonal, then the rest. */
export function sparseProduct(M: Float32Array, h: number, z: SparseVector): Float64Array {
  const w = new Float64Array(h);
  leftOfDiagonal(M, z, w);
  addActiveRows(M, z, w);
  return w;
}

/** w_i = sum_{j<i} M_ij z_j, four rows at a time, so that the additions of one do not wait for one another. */
function leftOfDiagonal(M: Float32Array, { indices, values }: SparseVector, w: Float64Array): void {
  const count = indices.length;
  let next = 0; // the first of z's indices that is not below i
  for (let i = 0; i < w.length; i += 4) {
    const rows = Math.min(4, w.length - i);
    const row0 = packedRow(i);
    const row1 = rows > 1 ? packedRow(i + 1) : row0; // where a row is missing its sum is not used
    const row2 = rows > 2 ? packedRow(i + 2) : row0;
    const row3 = rows > 3 ? packedRow(i + 3) : row0;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    for (let q = 0; q < next; q++) {
      const j = indices[q]!;
      const v = values[q]!;
      sum0 += M[row0 + j]! * v;
      sum1 += M[row1 + j]! * v;
      sum2 += M[row2 + j]! * v;
      sum3 += M[row3 + j]! * v;
    }
    for (; next < count && indices[next]! < i + 4; next++) {
      const j = indices[next]!;
      const v = values[next]!;
      if (j < i + 1) sum1 += M[row1 + j]! * v;
      if (j < i + 2) sum2 += M[row2 + j]! * v;
      if (j < i + 3) sum3 += M[row3 + j]! * v;
    }
    w[i] = sum0;
    if (rows > 1) w[i + 1] = sum1;
    if (rows > 2) w[i + 2] = sum2;
    if (rows > 3) w[i + 3] = sum3;
  }
}

/** w_j += sum_{i>=j} M_ij z_i in the order of i, four rows at a time: a number of w is then read and written once for them. */
function addActiveRows(M: Float32Array, { indices, values }: SparseVector, w: Float64Array): void {
  const count = indices.length;
  const whole = count - (count % 4);
  for (let p = 0; p < whole; p += 4) {
    const i0 = indices[p]!;
    const row0 = packedRow(i0);
    const row1 = packedRow(indices[p + 1]!);
    const row2 = packedRow(indices[p + 2]!);
    const row3 = packedRow(indices[p + 3]!);
    const z0 = values[p]!;
    const z1 = values[p + 1]!;
    const z2 = values[p + 2]!;
    const z3 = values[p + 3]!;
    for (let j = 0; j <= i0; j++) {
      w[j] = w[j]! + z0 * M[row0 + j]! + z1 * M[row1 + j]! + z2 * M[row2 + j]! + z3 * M[row3 + j]!;
    }
    for (let r = 1; r < 4; r++) addRow(M, indices[p + r]!, values[p + r]!, w, i0 + 1);
  }
  for (let p = whole; p < count; p++) addRow(M, indices[p]!, values[p]!, w, 0);
}

/** w_j += z_i M_ij for j = from .. i. */
function addRow(M: Float32Array, i: number, zi: number, w: Float64Array, from: number): void {
  const row = packedRow(i);
  for (let j = from; j <= i; j++) w[j]! += zi * M[row + j]!;
}

/** S v for packed symmetric S. */
export function symmetricProduct(S: Float32Array | Float64Array, v: Float64Array): Float64Array {
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
