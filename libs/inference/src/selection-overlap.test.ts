import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import type { KeptPositions } from './kv-cache.js';
import { selectionOverlap } from './selection-overlap.js';

const n = 12;
const layerCount = 3;
const kvHeads = 2;
const positions = fc
  .uniqueArray(fc.nat(n - 1), { minLength: 1, maxLength: n })
  .map((kept) => Int32Array.from(kept).sort());
const heads = fc.array(positions, { minLength: kvHeads, maxLength: kvHeads });
const selection: fc.Arbitrary<KeptPositions | undefined> = fc.option(
  fc.array(heads, { minLength: layerCount, maxLength: layerCount }),
  { nil: undefined, freq: 4 },
);

/** The readable twin: by sets. */
function naive(x: KeptPositions | undefined, y: KeptPositions | undefined, layers: readonly number[]): number {
  const all = Array.from({ length: n }, (_, k) => k);
  let sum = 0;
  for (const layer of layers) {
    for (let head = 0; head < kvHeads; head++) {
      const [p, q] = [x, y].map((kept) => new Set(kept?.[layer]![head] ?? all));
      sum += all.filter((k) => p!.has(k) && q!.has(k)).length / all.filter((k) => p!.has(k) || q!.has(k)).length;
    }
  }
  return sum / (layers.length * kvHeads);
}

test('the overlap is the mean Jaccard index of the layers and heads asked for, either way round', () => {
  const layers = fc.uniqueArray(fc.nat(layerCount - 1), { minLength: 1 });
  fc.assert(
    fc.property(selection, selection, layers, (x, y, layers) => {
      const overlap = selectionOverlap(x, y, n, layers);
      assert.ok(Math.abs(overlap - naive(x, y, layers)) < 1e-12);
      assert.equal(overlap, selectionOverlap(y, x, n, layers));
    }),
    { numRuns: 300 },
  );
});

test('a selection shares all with itself and nothing with one of other positions', () => {
  const first = [[Int32Array.of(0, 1)]];
  assert.equal(selectionOverlap(first, [[Int32Array.of(0, 1)]], 4, [0]), 1);
  assert.equal(selectionOverlap(first, [[Int32Array.of(2, 3)]], 4, [0]), 0);
  assert.equal(selectionOverlap(undefined, undefined, 4, [0]), 1);
});
