import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toFloat32 } from './to-float32.js';

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The definition: (-1)^s 2^(e-15) 1.m, 2^-14 0.m for e = 0. */
function naiveHalf(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * 2 ** -14 * (mantissa / 1024) : sign * 2 ** (exponent - 15) * (1 + mantissa / 1024);
}

test('all 65536 half-precision numbers are widened exactly', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const got = toFloat32(bytesOf(all), 'F16');
  for (const [bits, value] of got.entries()) assert.ok(Object.is(value, naiveHalf(bits)), `0x${bits.toString(16)}`);
});

test('bfloat16 is the upper half of single precision', () => {
  assert.deepEqual([...toFloat32(bytesOf(Uint16Array.of(0x3f80, 0xc040, 0x0001)), 'BF16')], [1, -3, 2 ** -133]);
});

test('double precision is rounded to the nearest single', () => {
  assert.deepEqual([...toFloat32(bytesOf(Float64Array.of(0.1, -2)), 'F64')], [Math.fround(0.1), -2]);
});

test('unaligned bytes are read all the same', () => {
  const padded = new Uint8Array(9);
  padded.set(bytesOf(Float32Array.of(1.5, -2.5)), 1);
  assert.deepEqual([...toFloat32(padded.subarray(1), 'F32')], [1.5, -2.5]);
});

test('a type that is no float and a torn element are refused', () => {
  assert.throws(() => toFloat32(new Uint8Array(8), 'I64'), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => toFloat32(new Uint8Array(5), 'F32'), { code: 'INVALID_ARGUMENT' });
});
