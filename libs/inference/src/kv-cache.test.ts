import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KvCache, type CacheShape } from './kv-cache.js';

const shape: CacheShape = { layers: 2, kvHeads: 3, headDim: 2 };

/** A cache of one row whose every number tells its layer, head, position and component. */
function numbered(n: number, capacity: number): KvCache {
  const cache = new KvCache(shape, 1, capacity);
  for (let layer = 0; layer < shape.layers; layer++) {
    const keys = new Float32Array(shape.kvHeads * n * shape.headDim);
    for (let i = 0; i < keys.length; i++) keys[i] = layer * 10_000 + i;
    cache.write(
      layer,
      keys,
      keys.map((value) => -value),
      n,
    );
  }
  cache.advance(n);
  return cache;
}

test('gathered rows are the source rows at the kept positions, for any positions', () => {
  const n = 20;
  const source = numbered(n, 24);
  const positions = fc
    .uniqueArray(fc.nat(n - 1), { minLength: 5, maxLength: 5 })
    .map((list) => Int32Array.from(list).sort());
  fc.assert(
    fc.property(fc.array(positions, { minLength: 6, maxLength: 6 }), (lists) => {
      const kept = [lists.slice(0, 3), lists.slice(3)];
      const slots = new KvCache(shape, 2, 8);
      slots.gather(1, source, kept);
      for (let layer = 0; layer < shape.layers; layer++) {
        for (let head = 0; head < shape.kvHeads; head++) {
          kept[layer]![head]!.forEach((position, i) => {
            for (let d = 0; d < shape.headDim; d++) {
              const expected = layer * 10_000 + (head * n + position) * shape.headDim + d;
              const at = ((shape.kvHeads + head) * 8 + i) * shape.headDim + d; // row 1
              assert.equal(slots.keys[layer]![at], expected);
              assert.equal(slots.values[layer]![at], -expected);
            }
          });
        }
      }
      assert.deepEqual([...slots.lengths], [0, 5]);
    }),
  );
});

test('the mask shows exactly the keys in use', () => {
  const cache = numbered(3, 5);
  assert.deepEqual(
    [...cache.mask].map((value) => value === 0),
    [true, true, true, false, false],
  );
  cache.advance(1);
  assert.deepEqual(
    [...cache.mask].map((value) => value === 0),
    [true, true, true, true, false],
  );
});

test('chunks written one after the other lie behind each other in every head', () => {
  const cache = new KvCache({ layers: 1, kvHeads: 2, headDim: 1 }, 1, 4);
  cache.write(0, Float32Array.of(1, 2, 5, 6), new Float32Array(4), 2);
  cache.advance(2);
  cache.write(0, Float32Array.of(3, 7), new Float32Array(2), 1);
  cache.advance(1);
  assert.deepEqual([...cache.keys[0]!], [1, 2, 3, 0, 5, 6, 7, 0]);
});

test('a causal mask hides exactly the keys behind each query, whatever the masks before it were', () => {
  const chunk = fc.record({ start: fc.nat(6), queries: fc.integer({ min: 1, max: 6 }) });
  fc.assert(
    fc.property(fc.array(chunk, { minLength: 1, maxLength: 5 }), (chunks) => {
      const cache = new KvCache(shape, 1, 8);
      for (const { start, queries } of chunks) {
        const total = start + queries;
        const mask = cache.causalMask(start, queries);
        assert.equal(mask.length, queries * total);
        mask.forEach((value, at) => {
          const [query, key] = [Math.floor(at / total), at % total];
          if (key <= start + query) assert.equal(value, 0);
          else assert.ok(value < -1e29);
        });
      }
    }),
  );
});
