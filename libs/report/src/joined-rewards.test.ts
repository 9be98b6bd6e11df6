import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { actionMap } from './charts/action-map.js';
import { calibration } from './charts/calibration.js';
import { histogram, rewardDistribution } from './charts/reward-distribution.js';
import { regretChart } from './charts/regret.js';
import { headline } from './headline.js';
import { joinRewards } from './joined-rewards.js';
import { readRun } from './read-run.js';
import { rewardsOfPrompt, runFiles, writeRun } from './run.fixture.js';
import { thin, trailingMean, meanPoint, type Point } from './series.js';
import { worstPrompts } from './worst-prompts.js';

async function runOf(files: Readonly<Record<string, unknown>>) {
  const folder = writeRun(files);
  try {
    return await readRun(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const files = runFiles();
type Row = (typeof files)['evaluation_rewards.jsonl'][number];
const withRows = (change: (row: Row) => object) => ({
  ...files,
  'evaluation_rewards.jsonl': files['evaluation_rewards.jsonl'].map(change),
});

test('rows are put into the order of the evaluation, without those that fit the budget', async () => {
  const { rows, joined } = joinRewards(await runOf(files));
  assert.equal(joined, true);
  assert.deepEqual(
    rows.map((row) => row.index),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
});

test('of several ways to reward, the one that the evaluation saw is taken', async () => {
  const rows = files['evaluation_rewards.jsonl'];
  const other = rows.map((row) => ({ ...row, key: 'other', rewards: row.rewards.map(() => 0.99) }));
  for (const lines of [
    [...rows, ...other],
    [...other, ...rows],
  ]) {
    const run = await runOf({ ...files, 'evaluation_rewards.jsonl': lines });
    assert.deepEqual(new Set(joinRewards(run).rows.map((row) => row.key)), new Set(['key']));
  }
});

test('rows without a place give the map but no differences and no worst prompts', async () => {
  const run = await runOf(withRows((row) => ({ ...row, index: undefined })));
  assert.equal(joinRewards(run).joined, false);
  assert.ok(headline(run).every(({ difference }) => difference === undefined));
  assert.deepEqual(worstPrompts(run, 3), []);
  assert.equal(actionMap(run)!.slices[0]!.chosen, undefined);
  assert.equal(actionMap(run)!.slices[0]!.reward!.length, 4);
});

test('differences are paired by prompt', async () => {
  const rows = new Map(headline(await runOf(files)).map((row) => [row.label, row]));
  const fixed = rows.get('best fixed action (a = 10, b = 16)')!.difference!;
  const wanted = [0, 1, 2, 3].reduce((sum, p) => sum + rewardsOfPrompt(p)[2]! - rewardsOfPrompt(p)[3]!, 0) / 4;
  assert.ok(Math.abs(fixed.mean - wanted) < 1e-12);
  const full = rows.get('full cache')!.difference!;
  assert.ok(Math.abs(full.mean - (0.375 - 1)) < 1e-12 && full.high < 0);
  assert.equal(rows.get('word')!.difference, undefined, 'a baseline that the rows do not tell');
});

test('differences that the run recorded are shown as they are', async () => {
  const best_fixed = { mean: 0.5, low: 0.25, high: 0.75 };
  const lines = files['evaluation.jsonl'].map((line) => ({ ...line, differences: { best_fixed } }));
  const rows = headline(await runOf({ ...files, 'evaluation.jsonl': lines }));
  assert.deepEqual(rows.find(({ label }) => label.startsWith('best fixed'))!.difference, best_fixed);
  assert.ok(Math.abs(rows.find(({ label }) => label === 'full cache')!.difference!.mean + 0.625) < 1e-12);
});

test('the worst prompts are those of the largest regret, with the texts of the action that was taken', async () => {
  const worst = worstPrompts(await runOf(files), 5);
  const regret = worst.map(({ taken, best }) => best.reward - taken.reward);
  assert.deepEqual(regret, [0.75, 0.75, 0.5, 0.5, 0.25]);
  assert.deepEqual(worst[0]!.best, { a: 0, b: 16, reward: 0.75 });
  const all = worstPrompts(await runOf(files), 100);
  assert.equal(all.length, 6, 'on two prompts nothing was better');
  assert.deepEqual(
    all.flatMap(({ index, texts }) => (texts === undefined ? [] : [index])),
    [],
  );
  const texts = files['evaluation_texts.jsonl'].map((line) => ({ ...line, hash: 'hash-2' }));
  const found = worstPrompts(await runOf({ ...files, 'evaluation_texts.jsonl': texts }), 100);
  assert.deepEqual(
    found.flatMap(({ index, texts }) => (texts === undefined ? [] : [index])),
    [2],
  );
  const other = texts.map((line) => ({ ...line, b: 16 }));
  const none = worstPrompts(await runOf({ ...files, 'evaluation_texts.jsonl': other }), 100);
  assert.ok(none.every(({ texts }) => texts === undefined));
});

test('the action map has a part for all, for each dataset, for each length and for training', async () => {
  const { slices } = actionMap(await runOf(files))!;
  assert.deepEqual(
    slices.map(({ label, prompts }) => [label, prompts]),
    [
      ['all evaluation prompts', 8],
      ['dataset other', 4],
      ['dataset word', 4],
      ['prompts of 64 to 127 tokens', 1],
      ['prompts of 128 to 255 tokens', 1],
      ['prompts of 256 to 511 tokens', 3],
      ['prompts of 512 to 1023 tokens', 3],
      ['episodes of training', 20],
    ],
  );
  assert.deepEqual(slices[0]!.reward, [0.375, 0.375, 0.375, 0.375]);
  assert.deepEqual(slices[1]!.reward, [0.5, 0.25, 0.5, 0.25]);
  assert.deepEqual(slices[0]!.chosen, [0, 0, 1, 0]);
  assert.deepEqual(slices.at(-1)!.chosen, [0, 0.5, 0.5, 0]);
  assert.equal(slices.at(-1)!.reward, undefined);
});

test('a run without evaluations has no chart of one', async () => {
  const run = await runOf({ ...files, 'evaluation.jsonl': '' });
  for (const chart of [regretChart(run), calibration(run), rewardDistribution(run)]) assert.equal(chart, undefined);
  assert.deepEqual(headline(run), []);
});

test('a bin holds its lower end, the last one both', () => {
  assert.deepEqual(histogram([0, 0.05, 0.1, 1], 0, 0.1), [0.5, 0.25, 0, 0, 0, 0, 0, 0, 0, 0.25]);
});

test('a trailing mean looks at what came before, a thinned line keeps its end', () => {
  const points = [1, 2, 3, 4, 5].map((x): Point => [x, x]);
  assert.deepEqual(
    trailingMean(points, 2).map(([, y]) => y),
    [1, 1.5, 2.5, 3.5, 4.5],
  );
  assert.deepEqual(thin(points, 5, meanPoint), points);
  assert.deepEqual(thin(points, 3, meanPoint), [
    [2, 1.5],
    [4, 3.5],
    [5, 5],
  ]);
});

test('with budgets an action is found by its budget too, and the map has a part for each', async () => {
  const { options } = files['config.json'];
  const run = await runOf({
    ...files,
    'config.json': { ...files['config.json'], options: { ...options, b_values: [1], budgets: [16, 64] } },
    'progress.jsonl': files['progress.jsonl'].map((line) => ({ ...line, actions_b: [1, 1], actions_budget: [64, 16] })),
    'evaluation.jsonl': files['evaluation.jsonl'].map((line) => ({
      ...line,
      eval_actions_budget: line.eval_rewards.map(() => 16),
      baselines: { ...line.baselines, best_fixed: { ...line.baselines['best_fixed'], a: 10, b: 1, budget: 64 } },
    })),
    'evaluation_texts.jsonl': files['evaluation_texts.jsonl'].map((line) => ({ ...line, hash: 'hash-2', budget: 16 })),
  });
  assert.equal(joinRewards(run).joined, true);
  const map = actionMap(run)!;
  assert.deepEqual(
    map.slices.slice(0, 2).map(({ label, chosen }) => [label, chosen]),
    [
      ['all evaluation prompts, budget 16', [0, 1]],
      ['all evaluation prompts, budget 64', [0, 0]],
    ],
  );
  assert.match(map.summary, /a = \d+, b = 1, budget (16|64) earns most/);
  assert.ok(headline(run).some(({ label }) => label.includes('(a = 10, b = 1, budget 64)')));
  const worst = worstPrompts(run, 8);
  assert.ok(worst.every(({ taken }) => taken.budget === 16));
  assert.ok(worst.some(({ texts }) => texts !== undefined));
});
