/**
 * Symmetric and lower triangular matrices of width h as packed rows of their lower half: entry (i, j), j <= i, lies at
 * i (i + 1) / 2 + j, h (h + 1) / 2 numbers in all.
 */
export function packedLength(width: number): number {
  return (width * (width + 1)) / 2;
}

/** Where row i of a packed matrix starts. */
export function packedRow(i: number): number {
  return (i * (i + 1)) / 2;
}

/**
 * A = G G' (Cholesky; G lower triangular): G_ij = (A_ij - sum_{k<j} G_ik G_jk) / G_jj, in double precision, packed.
 * Undefined where A is not positive definite, to rounding.
 */
export function cholesky(A: Float64Array, width: number): Float64Array | undefined {
  const G = A.slice();
  for (let i = 0; i < width; i++) {
    const row = packedRow(i);
    for (let j = 0; j <= i; j++) {
      const other = packedRow(j);
      let even = 0; // two chains of additions, so that one does not wait for the other
      let odd = 0;
      let k = 0;
      for (; k + 1 < j; k += 2) {
        even += G[row + k]! * G[other + k]!;
        odd += G[row + k + 1]! * G[other + k + 1]!;
      }
      if (k < j) even += G[row + k]! * G[other + k]!;
      const rest = G[row + j]! - (even + odd);
      if (j < i) G[row + j] = rest / G[other + j]!;
      else if (rest > 0 && rest < Infinity) G[row + j] = Math.sqrt(rest);
      else return undefined;
    }
  }
  return G;
}

/** A^-1 = X' X with X = G^-1, A = G G'; packed, in double precision. Undefined where A is not positive definite. h^3 / 2 steps. */
export function choleskyInverse(A: Float64Array, width: number): Float64Array | undefined {
  const X = cholesky(A, width);
  if (X === undefined) return undefined;
  const sums = new Float64Array(width);
  for (let i = 0; i < width; i++) {
    // X_i. = -(1 / G_ii) sum_{k<i} G_ik X_k., written over G_i.
    const row = packedRow(i);
    sums.fill(0, 0, i);
    for (let k = 0; k < i; k++) addRow(X[row + k]!, X, packedRow(k), sums, 0, k + 1);
    const pivot = 1 / X[row + i]!;
    for (let j = 0; j < i; j++) X[row + j] = -pivot * sums[j]!;
    X[row + i] = pivot;
  }
  const inverse = new Float64Array(X.length);
  for (let k = 0; k < width; k++) {
    const row = packedRow(k);
    for (let i = 0; i <= k; i++) addRow(X[row + i]!, X, row, inverse, packedRow(i), i + 1);
  }
  return inverse;
}

function addRow(
  factor: number,
  from: Float64Array,
  start: number,
  into: Float64Array,
  at: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) into[at + i]! += factor * from[start + i]!;
}
