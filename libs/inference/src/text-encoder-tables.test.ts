import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LengthTables, TablePart } from '@a2sf/model-zoo';
import fc from 'fast-check';
import { TableCache } from './text-encoder-tables.js';

/** A part that is one input of so many numbers, with nothing to compute. */
const part = (key: string, numbers: number, instead?: TablePart): TablePart => ({
  key,
  bytes: 4 * numbers,
  direct: () => ({ [key]: { type: 'float32', data: new Float32Array(numbers), shape: [numbers] } }),
  steps: () => [],
  ...(instead === undefined ? {} : { instead }),
});
const cacheOf = (partsOf: LengthTables['partsOf'], maxBytes: number): TableCache =>
  new TableCache({ partsOf }, { threads: 1 }, maxBytes);
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const inputs = async (cache: TableCache, length: number): Promise<string[]> => Object.keys(await cache.feeds(length));

describe('tables of an encoder', () => {
  test('are made once, and the least recently used go first', async () => {
    const cache = cacheOf((length) => [part('all', 1), part(`of ${length}`, 10)], 4 * 31);
    const first = await cache.feeds(1);
    for (const length of [2, 3, 1]) await cache.feeds(length);
    assert.equal((await cache.feeds(1))['of 1'], first['of 1']);
    await cache.feeds(4);
    assert.deepEqual(cache.keys, ['of 3', 'of 1', 'all', 'of 4']);
  });

  test('that a text cannot do without are there whatever their size, and go with the next text', async () => {
    const cache = cacheOf((length) => [part('all', 1), part(`of ${length}`, length)], 4 * 20);
    assert.deepEqual(await inputs(cache, 100), ['all', 'of 100']);
    assert.deepEqual(await inputs(cache, 19), ['all', 'of 19']);
    assert.deepEqual(cache.keys, ['all', 'of 19']);
  });

  test('with a smaller part instead are made as far as there is room', async () => {
    const parts = ['a', 'b', 'c'].map((name) => part(`${name} whole`, 10, part(`${name} small`, 2)));
    const kept = async (numbers: number): Promise<string[]> => {
      const cache = cacheOf(() => parts, 4 * numbers);
      const first = await inputs(cache, 1);
      assert.deepEqual(await inputs(cache, 1), first);
      assert.deepEqual(cache.keys, first);
      return first;
    };
    assert.deepEqual(await kept(30), ['a whole', 'b whole', 'c whole']);
    assert.deepEqual(await kept(29), ['a whole', 'b whole', 'c small']);
    assert.deepEqual(await kept(13), ['a small', 'b small', 'c small']);
    assert.deepEqual(await kept(0), ['a small', 'b small', 'c small']);
  });

  test('of lengths by turns do not push out each other, but those long out of use', async () => {
    const cache = cacheOf((length) => [part(`${length} whole`, 10, part('small', 1))], 4 * 21);
    for (const length of [1, 2]) await cache.feeds(length);
    for (let turn = 0; turn < 10; turn++) {
      for (const length of [1, 2]) assert.deepEqual(await inputs(cache, length), [`${length} whole`]);
      assert.deepEqual(await inputs(cache, 3), ['small']);
    }
    // Nobody asks for the first any more.
    const given = [];
    for (let turn = 0; turn < 20; turn++) {
      await cache.feeds(2);
      given.push(...(await inputs(cache, 3)));
    }
    assert.equal(given.filter((name) => name === 'small').length, 14);
    assert.ok(given.slice(14).every((name) => name === '3 whole'));
    assert.deepEqual([...cache.keys].toSorted(), ['2 whole', '3 whole', 'small']);
  });

  test('of two lengths by turns come to rest: nothing is made again and again', async () => {
    const partsOf = (length: number): TablePart[] => [
      part(`needed ${length}`, 4),
      ...range(5).map((i) => part(`${i} of ${length}`, length, part(`${i} small of ${length}`, 2))),
    ];
    for (const room of [30, 60, 80, 100, 150]) {
      const cache = cacheOf(partsOf, 4 * room);
      for (let turn = 0; turn < 5; turn++) for (const length of [20, 7]) await cache.feeds(length);
      const settled = [await cache.feeds(20), await cache.feeds(7)];
      for (const [i, length] of [20, 7].entries()) {
        const again = await cache.feeds(length);
        for (const [name, tensor] of Object.entries(settled[i]!)) assert.equal(again[name], tensor);
      }
    }
  });

  test('long out of use go before any that texts use', async () => {
    const partsOf = (length: number): TablePart[] => [
      part(`needed ${length}`, 4),
      ...(length === 2 ? [part('whole', 10, part('small', 2))] : []),
    ];
    const cache = cacheOf(partsOf, 4 * 18);
    for (const length of [1, ...range(40).map(() => 2), 3]) await cache.feeds(length);
    assert.deepEqual(cache.keys, ['needed 2', 'whole', 'needed 3']);
  });

  test('take no more than their bound beside what the text in hand needs, and every text gets its inputs', async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 0, max: 60 }), async (texts, room) => {
        const partsOf = (length: number): TablePart[] => [
          part('all', 2),
          part(`needed ${length % 3}`, 4),
          ...['x', 'y'].map((name) => part(`${name} ${length}`, 3 * length, part(`${name} small ${length % 2}`, 2))),
        ];
        const cache = cacheOf(partsOf, 4 * room);
        for (const length of texts) {
          const given = await inputs(cache, length);
          const parts = partsOf(length);
          assert.equal(given.length, parts.length);
          for (const { key, instead } of parts) assert.ok(given.includes(key) !== given.includes(instead?.key ?? ''));
          const numbers = new Map(
            [1, 2, 3, 4, 5, 6]
              .flatMap(partsOf)
              .flatMap(({ key, bytes, instead }) => [
                [key, bytes / 4],
                ...(instead === undefined ? [] : [[instead.key, instead.bytes / 4] as const]),
              ]) as [string, number][],
          );
          const kept = cache.keys.reduce((sum, key) => sum + numbers.get(key)!, 0);
          const used = given.reduce((sum, key) => sum + numbers.get(key)!, 0);
          assert.ok(kept <= Math.max(room, used));
        }
      }),
      { numRuns: 200 },
    );
  });
});
