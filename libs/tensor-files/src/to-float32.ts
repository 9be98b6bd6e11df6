import { A2sfError } from '@a2sf/errors';
import type { DType } from './dtype.js';

/**
 * Elements as single precision: F32 as it is (a view when aligned, else a copy), F16 and BF16 exactly, F64 rounded to
 * nearest. Throws INVALID_ARGUMENT for other types. Assumes a little-endian machine, as onnxruntime does.
 */
export function toFloat32(bytes: Uint8Array, dtype: DType): Float32Array {
  if (dtype === 'F32') return new Float32Array(...elements(bytes, 4));
  if (dtype === 'F64') return Float32Array.from(new Float64Array(...elements(bytes, 8)));
  if (dtype === 'BF16') return widen(new Uint16Array(...elements(bytes, 2)), (bits) => bits << 16);
  if (dtype === 'F16') return widen(new Uint16Array(...elements(bytes, 2)), halfToSingleBits);
  throw A2sfError.invalid('dtype', `${dtype} is not a float type`);
}

/** Constructor arguments of a typed array over the bytes, which are copied first if their address is not a multiple. */
function elements(bytes: Uint8Array, size: number): [ArrayBufferLike, number, number] {
  if (bytes.byteLength % size !== 0) {
    throw A2sfError.invalid('bytes', `${bytes.byteLength} bytes are no whole number of ${size}-byte elements`);
  }
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return [aligned.buffer, aligned.byteOffset, aligned.byteLength / size];
}

function widen(from: Uint16Array, bitsOf: (bits: number) => number): Float32Array {
  const out = new Float32Array(from.length);
  const outBits = new Uint32Array(out.buffer);
  for (let i = 0; i < from.length; i++) outBits[i] = bitsOf(from[i]!);
  return out;
}

/** IEEE 754 binary16 -> binary32: sign 1, exponent 5 (bias 15), mantissa 10 -> exponent 8 (bias 127), mantissa 23. */
function halfToSingleBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (mantissa << 13); // infinity, NaN
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  if (mantissa === 0) return sign;
  const shift = Math.clz32(mantissa) - 21; // subnormal: mantissa * 2^-24, brought to 1.m * 2^(-14 - shift)
  return sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13);
}
