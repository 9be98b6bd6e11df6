import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Random } from '@a2sf/random';
import { effectiveSampleSize, evaluateOffPolicy, type OffPolicyReport } from './evaluate.js';
import { weigh, type LoggedOutcome } from './outcome.js';
import { sample, truth, world } from './simulation.fixture.js';

const few = { resamples: 1 };
const byName = ({ estimates }: OffPolicyReport, name: string) => {
  const estimate = estimates.find((each) => each.name === name);
  assert.ok(estimate, name);
  return estimate;
};
const near = (actual: number, expected: number, tolerance = 1e-9): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual} is not ${expected}`);

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const row = fc.array(unit, { minLength: 3, maxLength: 3 });
const anyOutcome = fc
  .record({
    parts: row,
    actionIndex: fc.nat(2),
    predictions: row,
    rewards: row,
    propensity: fc.double({ min: 0.01, max: 1, noNaN: true }),
  })
  .map(({ parts, actionIndex, predictions, rewards, propensity }): Required<LoggedOutcome> => {
    const total = parts.reduce((sum, part) => sum + part + 0.01, 0);
    const target = parts.map((part) => (part + 0.01) / total);
    return { actionIndex, propensity, target, predictions, rewards, reward: rewards[actionIndex]! };
  });

test('the estimates are those of the formulas, written out', () => {
  fc.assert(
    fc.property(fc.array(anyOutcome, { minLength: 1, maxLength: 12 }), (outcomes) => {
      let [ips, weights, squares, dr, exact] = [0, 0, 0, 0, 0];
      for (const { actionIndex: a, propensity, target, predictions, rewards } of outcomes) {
        const w = target[a]! / propensity;
        ips += w * rewards[a]!;
        weights += w;
        squares += w * w;
        dr += w * (rewards[a]! - predictions[a]!);
        for (const action of [0, 1, 2]) {
          dr += target[action]! * predictions[action]!;
          exact += target[action]! * rewards[action]!;
        }
      }
      const n = outcomes.length;
      const report = evaluateOffPolicy(
        outcomes.map((outcome) => weigh(outcome)),
        few,
      );
      near(byName(report, 'logged').value, outcomes.reduce((sum, { reward }) => sum + reward, 0) / n);
      near(byName(report, 'ips').value, ips / n);
      near(byName(report, 'snips').value, ips / weights);
      near(byName(report, 'dr').value, dr / n);
      near(byName(report, 'exact').value, exact / n);
      near(report.effectiveSampleSize, weights ** 2 / squares);
      near(report.meanWeight, weights / n);
      assert.equal(byName(report, 'exact').n, n);
    }),
  );
});

test('where the target is the logging policy all weights are 1: ips and snips are the mean of the log', () => {
  fc.assert(
    fc.property(fc.array(anyOutcome, { minLength: 1, maxLength: 12 }), (outcomes) => {
      const same = outcomes.map((outcome) => weigh({ ...outcome, propensity: outcome.target[outcome.actionIndex]! }));
      const report = evaluateOffPolicy(same, few);
      const { value } = byName(report, 'logged');
      near(byName(report, 'ips').value, value);
      near(byName(report, 'snips').value, value);
      near(report.effectiveSampleSize, outcomes.length);
    }),
  );
});

test('a model that is right makes dr exact, whatever was drawn', () => {
  fc.assert(
    fc.property(fc.array(anyOutcome, { minLength: 1, maxLength: 12 }), (outcomes) => {
      const right = outcomes.map((outcome) => weigh({ ...outcome, predictions: outcome.rewards }));
      const report = evaluateOffPolicy(right, few);
      near(byName(report, 'dr').value, byName(report, 'exact').value);
    }),
  );
});

test('the effective sample size is n for equal weights, 1 for a single one and 0 for none', () => {
  assert.equal(effectiveSampleSize([2, 2, 2, 2]), 4);
  assert.equal(effectiveSampleSize([0, 0, 7]), 1);
  assert.equal(effectiveSampleSize([0, 0]), 0);
  assert.equal(effectiveSampleSize([3, 1]), 1.6);
});

/** Mean and variance of each estimator over seeded logs, and how often its interval held the truth. */
function repeated(repetitions: number, n: number, options: { readonly resamples: number; readonly clip?: number }) {
  const scene = world(11);
  const value = truth(scene);
  const names = ['ips', 'snips', 'dr', 'exact'];
  const found = new Map(names.map((name) => [name, { values: [] as number[], held: 0, clippingBias: 0 }]));
  for (let seed = 0; seed < repetitions; seed++) {
    const report = evaluateOffPolicy(sample(scene, n, new Random(seed), scene.means), { ...options, seed });
    for (const name of names) {
      const { value: estimate, low, high, clippingBias } = byName(report, name);
      const entry = found.get(name)!;
      entry.values.push(estimate);
      entry.clippingBias += clippingBias / repetitions;
      if (low <= value && value <= high) entry.held++;
    }
  }
  const summary = (name: string) => {
    const { values, held, clippingBias } = found.get(name)!;
    const mean = values.reduce((sum, x) => sum + x, 0) / repetitions;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (repetitions - 1);
    return { mean, variance, coverage: held / repetitions, clippingBias, error: Math.sqrt(variance / repetitions) };
  };
  return { value, summary };
}

test('over 400 logs of 200 decisions the intervals of 95 % hold the truth nearly that often', () => {
  const { summary } = repeated(400, 200, { resamples: 300 });
  for (const name of ['ips', 'snips', 'dr', 'exact']) {
    const { coverage } = summary(name);
    // three standard errors of a frequency of 0.95 over 400 are 0.033; a percentile bootstrap is a little narrow
    assert.ok(coverage >= 0.91 && coverage <= 0.985, `${name}: ${coverage}`);
  }
});

test('ips and dr are unbiased, snips nearly; a good model makes dr less variable than ips', () => {
  const { value, summary } = repeated(2000, 60, few);
  for (const name of ['ips', 'dr', 'exact']) {
    const { mean, error } = summary(name);
    assert.ok(Math.abs(mean - value) <= 3.5 * error, `${name}: ${mean} for ${value}, error ${error}`);
  }
  assert.ok(Math.abs(summary('snips').mean - value) <= 3.5 * summary('snips').error + 1 / 60);
  assert.ok(summary('dr').variance < 0.7 * summary('ips').variance);
  assert.ok(summary('snips').variance < summary('ips').variance);
});

test('clipping moves ips, snips and dr by no more than is told, and lowers the variance of ips', () => {
  const free = repeated(1000, 60, few);
  const clipped = repeated(1000, 60, { ...few, clip: 2 });
  const moved = clipped.summary('ips').mean - clipped.value;
  assert.ok(moved < -0.01, `clipping takes away: ${moved}`);
  for (const name of ['ips', 'snips', 'dr']) {
    const { mean, clippingBias } = clipped.summary(name);
    assert.ok(clippingBias > 0 && Math.abs(mean - clipped.value) <= clippingBias, `${name}: ${mean}, ${clippingBias}`);
    assert.equal(free.summary(name).clippingBias, 0);
  }
  assert.ok(clipped.summary('ips').variance < free.summary('ips').variance);
});

test('the same seed gives the same report; the weights that were clipped are counted', () => {
  const outcomes = sample(world(2), 50, new Random(5));
  const report = evaluateOffPolicy(outcomes, { seed: 9, clip: 1 });
  assert.deepEqual(evaluateOffPolicy(outcomes, { seed: 9, clip: 1 }), report);
  assert.equal(report.clippedWeights, outcomes.filter(({ weight }) => weight > 1).length);
  assert.equal(report.maxWeight, Math.max(...outcomes.map(({ weight }) => weight)));
});

const flat = { reward: 0.5, predicted: 0, expected: 0 };

test('a log that tells little of a policy is warned of', () => {
  const report = (weights: readonly number[]) =>
    evaluateOffPolicy(
      weights.map((weight) => ({ ...flat, weight })),
      few,
    );
  const of = (count: number, weight: number) => Array.from({ length: count }, () => weight);
  assert.deepEqual(report(of(100, 1)).warnings, []);
  assert.match(report(of(5, 1)).warnings.join(), /^the effective sample size is 5\.00 of 5: .* below 30$/);
  assert.match(report([...of(990, 0), ...of(10, 100)]).warnings.join(), /^the effective sample size is 10\.0 of 1000/);
  assert.match(
    report([...of(60, 0), ...of(40, 1)]).warnings.join(),
    /average 0\.400 instead of 1: the log hardly tries/,
  );
  assert.match(report(of(100, 3)).warnings.join(), /average 3\.00 instead of 1: the logged propensities are too small/);
  const none = report(of(40, 0));
  assert.match(none.warnings.join(), /^no logged decision took an action that the policy takes/);
  assert.deepEqual(
    none.estimates.map(({ name }) => name),
    ['logged', 'ips', 'dr'],
  );
});

test('no outcomes and options out of range are refused', () => {
  assert.throws(() => evaluateOffPolicy([]), { code: 'INVALID_ARGUMENT', field: 'outcomes' });
  const one = [{ ...flat, weight: 1 }];
  for (const [field, value] of [
    ['clip', 0],
    ['clip', NaN],
    ['resamples', 0],
    ['confidence', 1],
  ] as const) {
    assert.throws(() => evaluateOffPolicy(one, { [field]: value }), { code: 'INVALID_ARGUMENT', field });
  }
});
