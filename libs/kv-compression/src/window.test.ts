import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { sigmoidWindow, windowWeight } from './window.js';

const action = fc.record({
  a: fc.double({ min: 0, max: 3e38, noNaN: true }),
  b: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
});

test('a weight is in 0..1, never NaN, and never falls with q', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), action, (n, action) => {
      const window = sigmoidWindow(n, action);
      assert.equal(window.length, n);
      for (let q = 0; q < n; q++) {
        assert.ok(window[q]! >= 0 && window[q]! <= 1);
        assert.ok(q === 0 || window[q]! >= window[q - 1]!);
        assert.equal(window[q], Math.fround(windowWeight(q, n, action)));
      }
    }),
  );
});

test('a = 0 weighs every query 0.5 whatever b is', () => {
  for (const b of [1, 64, 8192]) assert.ok(sigmoidWindow(50, { a: 0, b }).every((w) => w === 0.5));
});

test('a = 10 is a step that keeps the last b queries', () => {
  const window = sigmoidWindow(100, { a: 10, b: 16 });
  assert.equal(window.filter((w) => w > 0.5).length, 16);
  assert.ok(window[83]! < 0.01 && window[84]! > 0.99);
});

test('an empty prompt and an invalid action are refused', () => {
  assert.throws(() => sigmoidWindow(0, { a: 1, b: 1 }), { code: 'INVALID_ARGUMENT', field: 'n' });
  assert.throws(() => sigmoidWindow(9, { a: -1, b: 1 }), { code: 'INVALID_ARGUMENT', field: 'action.a' });
});
