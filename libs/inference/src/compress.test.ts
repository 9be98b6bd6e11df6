import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sameKept, selectKept } from './compress.js';

const shape = { layers: 2, kvHeads: 2, headDim: 1 };
const budget = { budget: 2, recent: 0, kept: 2, keepsAll: false };

test('each layer and KV head is ranked by its own row of the asked window', () => {
  // Per layer [G = 2, A = 2, n = 4].
  const layer = Float32Array.of(9, 8, 0, 0, /**/ 0, 0, 8, 9, /**/ 9, 0, 8, 0, /**/ 0, 9, 0, 8);
  const kept = (window: number) =>
    selectKept(shape, [layer, layer], 2, window, 4, budget).map((heads) => heads.map((h) => [...h]));
  assert.deepEqual(kept(0), [
    [
      [0, 1],
      [0, 2],
    ],
    [
      [0, 1],
      [0, 2],
    ],
  ]);
  assert.deepEqual(kept(1), [
    [
      [2, 3],
      [1, 3],
    ],
    [
      [2, 3],
      [1, 3],
    ],
  ]);
});

test('selections are the same only when every head of every layer is', () => {
  const a = [[Int32Array.of(0, 1)], [Int32Array.of(2, 3)]];
  const b = [[Int32Array.of(0, 1)], [Int32Array.of(2, 4)]];
  assert.equal(sameKept(a, [[Int32Array.of(0, 1)], [Int32Array.of(2, 3)]]), true);
  assert.equal(sameKept(a, b), false);
});

test('a model whose scores are no numbers is told apart from a wrong request', () => {
  const bad = [new Float32Array(8).fill(1), new Float32Array(8).fill(Number.NaN)];
  assert.throws(() => selectKept(shape, bad, 1, 0, 4, budget), { code: 'DATA_LOSS', message: /layer 1/ });
});
