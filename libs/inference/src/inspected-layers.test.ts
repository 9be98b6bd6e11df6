import assert from 'node:assert/strict';
import test from 'node:test';
import { planCompression } from '@a2sf/kv-compression';
import { inspectedLayers } from './inspected-layers.js';

const n = 3;
const plan = planCompression({ method: 'h2o', budget: 2, recent: 1 }, n);
/** One layer, two KV heads, two windows: [G, A, n]. */
const layer = Float32Array.of(9, 9, 9, 1, 0, 0, 9, 9, 9, 1, 1, 1);
const scores = { n, windows: 2, layers: [layer] };
const kept = [[Int32Array.of(0, 2), Int32Array.of(0, 2)]];

test('scores and statistics are those of the own window, among several', () => {
  const selection = { plan, window: 1, scores, kept };
  const [shown] = inspectedLayers(selection, [0], 2, { withScores: true, withStatistics: true });
  assert.deepEqual(
    shown!.heads.map((head) => [...head.scores]),
    [
      [1, 0],
      [1, 1],
    ],
  );
  assert.deepEqual(shown!.statistics, { entropy: 0.5, sinkMass: 1 });
});

test('what was not asked for is left out', () => {
  const selection = { plan, window: 1, scores, kept: undefined };
  const [shown] = inspectedLayers(selection, [0], 2, { withScores: false });
  assert.deepEqual(
    shown!.heads.map((head) => [[...head.positions], head.scores.length]),
    [
      [[0, 1, 2], 0],
      [[0, 1, 2], 0],
    ],
  );
  assert.equal('statistics' in shown!, false);
});

test('statistics of a score that is not finite are refused', () => {
  for (const bad of [NaN, Infinity]) {
    const damaged = { n, windows: 1, layers: [Float32Array.of(0, bad, 0)] };
    const selection = { plan, window: 0, scores: damaged, kept };
    assert.throws(() => inspectedLayers(selection, [0], 1, { withScores: false, withStatistics: true }), {
      code: 'DATA_LOSS',
      reason: 'not-finite',
    });
  }
});
