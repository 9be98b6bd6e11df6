import assert from 'node:assert/strict';
import { test } from 'node:test';
import { affine, affineGradient, inputGradient } from './linear.js';

const W = Float32Array.of(1, 2, 3, 4, 5, 6); // [2, 3]
const x = Float32Array.of(1, 0, -1, 2, 1, 0); // [2, 3]

test('an affine layer is W x + b, a row a context', () => {
  assert.deepEqual([...affine(W, Float32Array.of(10, 20), x)], [8, 18, 14, 33]);
});

test('a sum beyond single precision is cut to its largest number, with its sign, also where its terms overflow', () => {
  const largest = 3.4028234663852886e38;
  const huge = Float32Array.of(3e38, -3e38, 3e38, -3e38, -3e38, -3e38);
  const y = affine(huge, Float32Array.of(0, 7), Float32Array.of(10, 10, 0, 10, 0, 0));
  assert.deepEqual([...y], [0, -largest, largest, -largest]);
});

test('the gradients of an affine layer are those of the chain rule', () => {
  const d = Float32Array.of(1, 2, 3, 4); // [2, 2]
  const { weights, bias } = affineGradient(d, x, 2);
  assert.deepEqual([...weights], [7, 3, -1, 10, 4, -2]);
  assert.deepEqual([...bias], [4, 6]);
  assert.deepEqual([...inputGradient(d, W, 2)], [9, 12, 15, 19, 26, 33]);
});
