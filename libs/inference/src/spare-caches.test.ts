import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KvCache } from './kv-cache.js';
import { SpareCaches } from './spare-caches.js';

const shape = { layers: 2, kvHeads: 1, headDim: 1 };
/** 16 bytes a key. */
const cache = (keys: number): KvCache => new KvCache(shape, 1, keys);

describe('spare caches', () => {
  test('the smallest that is large enough is taken, once', () => {
    const spare = new SpareCaches();
    const [small, middle, large] = [cache(2), cache(5), cache(9)];
    for (const one of [large, small, middle]) spare.give(one);
    assert.equal(spare.take(48, 1000), middle);
    assert.equal(spare.take(48, 143), undefined, 'the large one has more than the most');
    assert.equal(spare.take(48, 144), large);
    assert.equal(spare.bytes, 0, 'the small one was let go when nothing fitted');
  });

  test('a new cache takes the place of the largest of those that are too small', () => {
    const spare = new SpareCaches();
    for (const keys of [3, 7, 5]) spare.give(cache(keys));
    assert.equal(spare.take(160, 1000), undefined);
    assert.equal(spare.bytes, 16 * (3 + 5));
  });

  test('the oldest go where there is no room for all', () => {
    const spare = new SpareCaches();
    const [first, second] = [cache(4), cache(4)];
    spare.give(first);
    spare.give(second);
    spare.limit(100);
    assert.equal(spare.take(1, 1000), second);
    assert.equal(spare.take(1, 1000), undefined);
  });

  test('a cache over the memory of another is as empty as a new one', () => {
    const before = cache(8);
    before.advance(8);
    const after = new KvCache(shape, 2, 3, before);
    assert.deepEqual([...after.lengths], [0, 0]);
    assert.ok(after.mask.every((hidden) => hidden < -1e29));
    assert.equal(after.keys[0], before.keys[0]);
    assert.equal(after.bytes, before.bytes);
    assert.deepEqual(after.feeds(2)['past_key.0']!.dims, [2, 1, 3, 1]);
    assert.equal(after.feeds(2)['past_key.0']!.data.length, 6);
  });
});
