import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { promptOrder } from './prompt-order.js';

test('every row comes once per epoch', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 60 }), fc.nat(1000), (seed, count, epoch) => {
      const order = promptOrder(seed, count);
      const rows = Array.from({ length: count }, (_, i) => order.at(epoch * count + i));
      assert.deepEqual(
        rows.toSorted((x, y) => x - y),
        rows.map((_, i) => i),
      );
    }),
  );
});

test('any position reads the same from a fresh order, before or after any other', () => {
  const order = promptOrder(42, 37);
  const rows = Array.from({ length: 400 }, (_, position) => order.at(position));
  const other = promptOrder(42, 37);
  for (const position of [399, 0, 200, 36, 37, 1]) assert.equal(other.at(position), rows[position]);
});

test('epochs and seeds differ', () => {
  const epochs = [0, 1, 2].map((epoch) => Array.from({ length: 50 }, (_, i) => promptOrder(1, 50).at(epoch * 50 + i)));
  const seeds = [1, 2, 2 ** 40].map((seed) => Array.from({ length: 50 }, (_, i) => promptOrder(seed, 50).at(i)));
  assert.equal(new Set([...epochs, ...seeds.slice(1)].map(String)).size, 5);
});

test('the order of a seed is fixed for good', () => {
  const order = promptOrder(42, 10);
  assert.deepEqual(
    Array.from({ length: 20 }, (_, position) => order.at(position)),
    [8, 9, 3, 0, 6, 5, 1, 7, 4, 2, 6, 8, 3, 4, 1, 0, 5, 7, 2, 9],
  );
});

test('an impossible order or position is refused', () => {
  const code = 'INVALID_ARGUMENT';
  assert.throws(() => promptOrder(0, 0), { code, field: 'count' });
  assert.throws(() => promptOrder(-1, 5), { code, field: 'seed' });
  assert.throws(() => promptOrder(0.5, 5), { code, field: 'seed' });
  assert.throws(() => promptOrder(1, 5).at(-1), { code, field: 'position' });
  assert.throws(() => promptOrder(1, 5).at(NaN), { code, field: 'position' });
});
