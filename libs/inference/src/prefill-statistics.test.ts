import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { scoreStatistics, type ScoreStatistics } from './prefill-statistics.js';

/** The readable twin: normalise each head, then the formulas. */
function naive(heads: readonly Float32Array[], n: number): ScoreStatistics {
  const mean = (values: readonly number[]): number => values.reduce((x, y) => x + y, 0) / values.length;
  const ps = heads.map((scores) => {
    const total = [...scores].reduce((x, y) => x + y, 0);
    return [...scores].map((score) => (total === 0 ? 1 / n : score / total));
  });
  return {
    entropy: mean(
      ps.map((p) => (n === 1 ? 0 : -p.reduce((s, x) => s + (x === 0 ? 0 : x * Math.log(x)), 0) / Math.log(n))),
    ),
    sinkMass: mean(ps.map((p) => p.slice(0, 4).reduce((x, y) => x + y, 0))),
  };
}

const score = fc.oneof(
  fc.constant(0),
  fc.float({ min: 0, max: 10, noNaN: true }),
  fc.float({ min: 0, max: Math.fround(1e-30), noNaN: true }),
);

test('entropy and mass on the sinks are those of the formulas, and lie in 0..1', () => {
  const layer = fc
    .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 4 }))
    .chain(([n, G]) => fc.array(fc.array(score, { minLength: n, maxLength: n }), { minLength: G, maxLength: G }));
  fc.assert(
    fc.property(layer, (rows) => {
      const n = rows[0]!.length;
      const { entropy, sinkMass } = scoreStatistics(Float32Array.from(rows.flat()), n);
      const want = naive(
        rows.map((row) => Float32Array.from(row)),
        n,
      );
      assert.ok(Math.abs(entropy - want.entropy) < 1e-9, `${entropy} ${want.entropy}`);
      assert.ok(Math.abs(sinkMass - want.sinkMass) < 1e-12);
      assert.ok(entropy >= 0 && entropy <= 1 && sinkMass >= 0 && sinkMass <= 1);
    }),
    { numRuns: 300 },
  );
});

test('even scores have entropy 1, a single one 0, and a prompt of one token 0 with all mass on the sinks', () => {
  assert.deepEqual(scoreStatistics(new Float32Array(16).fill(0.25), 8), { entropy: 1, sinkMass: 0.5 });
  assert.deepEqual(scoreStatistics(Float32Array.of(0, 0, 0, 0, 0, 3), 6), { entropy: 0, sinkMass: 0 });
  assert.deepEqual(scoreStatistics(Float32Array.of(0.5, 2), 1), { entropy: 0, sinkMass: 1 });
  assert.deepEqual(scoreStatistics(new Float32Array(8), 8), { entropy: 1, sinkMass: 0.5 });
});
