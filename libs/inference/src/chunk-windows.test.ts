import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActionSpace, sigmoidWindow } from '@a2sf/kv-compression';
import fc from 'fast-check';
import { chunkWindows } from './chunk-windows.js';

const every = Array.from({ length: ActionSpace.default.size }, (_, index) => ActionSpace.default.at(index));

test('rows and owners tell each window over the chunk, but for weights too small to count', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 0, max: 2999 }), (n, from) => {
      const start = Math.min(from, n - 1);
      const end = Math.min(start + 64, n);
      const windows = every.map((action) => sigmoidWindow(n, action));
      const { rows, count, owners } = chunkWindows(windows, start, end);
      assert.equal(rows.length, count * (end - start));
      const rowOf = new Map(owners.flatMap((list, row) => list.map((window) => [window, row] as const)));
      windows.forEach((window, index) => {
        const row = rowOf.get(index);
        for (let q = start; q < end; q++) {
          const told = row === undefined ? 0 : rows[row * (end - start) + q - start]!;
          if (row === undefined) assert.ok(window[q]! < 2 ** -60);
          else assert.equal(told, window[q]);
        }
      });
    }),
  );
});

test('no two rows are equal and each window has one at most', () => {
  const windows = every.map((action) => sigmoidWindow(4096, action));
  for (let start = 0; start < 4096; start += 256) {
    const { rows, count, owners } = chunkWindows(windows, start, start + 256);
    const texts = Array.from({ length: count }, (_, row) => rows.subarray(row * 256, (row + 1) * 256).join());
    assert.equal(new Set(texts).size, count);
    assert.equal(new Set(owners.flat()).size, owners.flat().length);
  }
});

test('early chunks of a long prompt need half of the sixty windows', () => {
  const windows = every.map((action) => sigmoidWindow(4096, action));
  assert.ok(chunkWindows(windows, 0, 256).count < 30);
  assert.ok(chunkWindows(windows, 3840, 4096).count >= 40);
});
