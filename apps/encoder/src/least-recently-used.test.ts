import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { LeastRecentlyUsed } from './least-recently-used.js';

test('the least recently used value goes first', () => {
  const kept = new LeastRecentlyUsed<number>(3);
  for (const key of ['a', 'b', 'c']) kept.set(key, 1, 1);
  kept.get('a');
  kept.set('d', 1, 1);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => kept.get(key)),
    [1, undefined, 1, 1],
  );
});

test('a value over the bound is not kept and drives nothing out', () => {
  const kept = new LeastRecentlyUsed<number>(3);
  kept.set('a', 1, 3);
  kept.set('b', 1, 4);
  assert.deepEqual([kept.get('a'), kept.get('b'), kept.bytes], [1, undefined, 3]);
});

test('the bytes are those of what is kept, and never over the bound', () => {
  const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), bytes: fc.integer({ min: 0, max: 12 }) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const kept = new LeastRecentlyUsed<number>(10);
      for (const { key, bytes } of steps) kept.set(key, bytes, bytes);
      const values = ['a', 'b', 'c', 'd', 'e'].flatMap((key) => kept.get(key) ?? []);
      assert.equal(
        values.reduce((sum, bytes) => sum + bytes, 0),
        kept.bytes,
      );
      assert.equal(values.length, kept.size);
      assert.ok(kept.bytes <= 10);
    }),
  );
});
