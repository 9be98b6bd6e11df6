import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultsTable } from './results-table.js';

const interval = (mean: number) => ({ mean, low: mean - 0.05, high: mean + 0.05 });
const line = {
  iteration: 60,
  eval_avg_reward: 0.874,
  eval_low: 0.85,
  eval_high: 0.9,
  eval_rewards: Array.from({ length: 210 }, () => 0.874),
  eval_actions_a: [],
  eval_actions_b: [],
  baselines: {
    full: interval(1),
    random: interval(0.54),
    h2o: { ...interval(0.551), a: 0, b: 1 },
    snapkv_16: { ...interval(0.482), a: 10, b: 16 },
    best_fixed: { ...interval(0.674), a: 10, b: 128 },
    oracle: interval(0.942),
  },
  kept_all: 0,
};

test('the table lists policy, oracle, best fixed action, SnapKV, H2O, random and full cache, aligned', () => {
  assert.equal(
    resultsTable(line, "rouge_l of the text against the full cache's text"),
    `evaluation after iteration 60: 210 prompts
reward: rouge_l of the text against the full cache's text

                                   reward  95 % interval
  policy (greedy)                   0.874  0.850 .. 0.900
  oracle                            0.942  0.892 .. 0.992
  best fixed action (a=10, b=128)   0.674  0.624 .. 0.724
  SnapKV (a=10, b=16)               0.482  0.432 .. 0.532
  H2O                               0.551  0.501 .. 0.601
  random                            0.540  0.490 .. 0.590
  full cache                        1.000  0.950 .. 1.050`,
  );
});

test('the table tells what was left out, and has no row for a baseline that is absent', () => {
  const { full, oracle } = line.baselines;
  const text = resultsTable({ ...line, kept_all: 3, baselines: { full, oracle } }, 'cosine');
  assert.match(text, /210 prompts; 3 more fit the budget and are left out/);
  assert.doesNotMatch(text, /SnapKV|H2O|best fixed/);
});

test('differences stand beside their baselines, and each of several datasets has a row', () => {
  const policy = { prompts: 2, ...interval(0.5), differences: {} };
  const text = resultsTable(
    {
      ...line,
      differences: { oracle: { mean: -0.1, low: -0.2, high: 0.05 } },
      datasets: {
        trec: { ...policy, baselines: { oracle: interval(0.9) } },
        qasper: { ...policy, baselines: { oracle: interval(0.8) } },
      },
    },
    'cosine',
  );
  assert.match(text, /^ {2}oracle +0\.942 {2}0\.892 \.\. 0\.992 +-0\.100 {2}-0\.200 \.\. \+0\.050$/m);
  assert.match(text, /^ {2}qasper +0\.500 {2}0\.450 \.\. 0\.550 +2 +0\.800\n {2}trec .* 0\.900$/m);
});
