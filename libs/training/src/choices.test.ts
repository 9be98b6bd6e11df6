import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseInParts } from './choices.js';
import type { Choice } from './peers.js';

const choice = (k: number): Choice => ({
  action: { a: 0, b: k + 1 },
  actionIndex: k,
  predictedReward: 0,
  uncertainty: 0,
});
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => choice(from + i));

test('parts are asked for one after the other, in order, and cover every episode once', async () => {
  for (const [count, atOnce] of [
    [10, 4],
    [8, 4],
    [3, 4],
    [4, 4],
    [1, 1],
  ] as const) {
    const asked: [number, number][] = [];
    let inWork = 0;
    const choices = chooseInParts(count, atOnce, async (from, to) => {
      assert.equal(inWork++, 0);
      await new Promise(setImmediate);
      inWork--;
      asked.push([from, to]);
      return range(from, to);
    });
    await choices.first;
    assert.deepEqual(asked, [[0, Math.min(atOnce, count)]]);
    assert.equal((await choices.of(count - 1)).actionIndex, count - 1);
    assert.deepEqual(await choices.all(), range(0, count));
    const starts = Array.from({ length: Math.ceil(count / atOnce) }, (_, part) => part * atOnce);
    assert.deepEqual(
      asked,
      starts.map((from) => [from, Math.min(from + atOnce, count)]),
    );
  }
});

test('a part that fails is told to those who wait for it or one behind, and to nobody else', async () => {
  const asked: number[] = [];
  const choices = chooseInParts(9, 3, (from, to) => {
    asked.push(from);
    return from === 3 ? Promise.reject(new Error('gone')) : Promise.resolve(range(from, to));
  });
  assert.equal((await choices.of(2)).actionIndex, 2);
  await assert.rejects(choices.of(3), /gone/);
  await assert.rejects(choices.of(8), /gone/);
  await assert.rejects(choices.all(), /gone/);
  assert.deepEqual(asked, [0, 3]);
});
