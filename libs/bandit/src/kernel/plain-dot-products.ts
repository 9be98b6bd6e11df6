const { fround } = Math;

/**
 * What dot-products.wat computes, bit for bit, in plain arithmetic: the kernel's oracle, and its stand-in on machines
 * without SIMD. a [rows, length], b [columns, length] -> [rows, columns]; length > 0.
 */
export function plainDotProducts(a: Float32Array, b: Float32Array, length: number): Float32Array {
  const rows = a.length / length;
  const columns = b.length / length;
  const c = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) c[i * columns + j] = dotProduct(a, i * length, b, j * length, length);
  }
  return c;
}

/** A product of two single-precision numbers, and a sum of two, that is rounded from double precision is rounded right. */
function dotProduct(a: Float32Array, i: number, b: Float32Array, j: number, length: number): number {
  const whole = length - (length % 4);
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let k = 0; k < whole; k += 4) {
    s0 = fround(s0 + fround(a[i + k]! * b[j + k]!));
    s1 = fround(s1 + fround(a[i + k + 1]! * b[j + k + 1]!));
    s2 = fround(s2 + fround(a[i + k + 2]! * b[j + k + 2]!));
    s3 = fround(s3 + fround(a[i + k + 3]! * b[j + k + 3]!));
  }
  if (whole < length) s0 = fround(s0 + fround(a[i + whole]! * b[j + whole]!));
  if (whole + 1 < length) s1 = fround(s1 + fround(a[i + whole + 1]! * b[j + whole + 1]!));
  if (whole + 2 < length) s2 = fround(s2 + fround(a[i + whole + 2]! * b[j + whole + 2]!));
  return fround(fround(s0 + s2) + fround(s1 + s3));
}
