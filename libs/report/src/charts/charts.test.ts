import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import type { Chart } from '../chart.js';
import { readRun } from '../read-run.js';
import { runFiles, writeRun } from '../run.fixture.js';
import { actionMap } from './action-map.js';
import { calibration } from './calibration.js';
import { learningCurve } from './learning-curve.js';
import { regretChart } from './regret.js';
import { stageTimes } from './stage-times.js';

async function runOf(files: Readonly<Record<string, unknown>>) {
  const folder = writeRun(files);
  try {
    return await readRun(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Series {
  readonly name?: string;
  readonly id?: string;
  readonly data: readonly unknown[];
}

/** The data of a chart's series by name. */
const dataOf = (chart: Chart | undefined) =>
  new Map((chart!.options['series'] as Series[]).map(({ name, id, data }) => [name ?? id, data]));

const files = runFiles();

test('the learning curve holds the policy with its band, the training rewards and every baseline', async () => {
  const data = dataOf(learningCurve(await runOf(files)));
  assert.deepEqual(data.get('policy (greedy)'), [
    [3, 0.375],
    [7, 0.375],
    [10, 0.375],
  ]);
  assert.deepEqual(data.get('band-low'), [
    [3, 0.325],
    [7, 0.325],
    [10, 0.325],
  ]);
  assert.deepEqual(data.get('band-high'), [
    [3, 0.1],
    [7, 0.1],
    [10, 0.1],
  ]);
  assert.deepEqual(data.get('training')!.slice(0, 3), [
    [1, 0],
    [2, 0.1],
    [3, 0.2],
  ]);
  assert.deepEqual(data.get('training, mean of 5')!.at(-1), [10, 0.7]);
  assert.deepEqual(data.get('oracle'), [
    [1, 0.75],
    [3, 0.75],
    [7, 0.75],
    [10, 0.75],
  ]);
  assert.ok(data.has('word'), 'a baseline that this version does not know');
});

test('regret is oracle - policy; its band is 1.96 standard errors of the paired difference', async () => {
  const data = dataOf(regretChart(await runOf(files)));
  assert.deepEqual(data.get('policy (greedy)')!.at(-1), [10, 0.375]);
  assert.deepEqual(data.get('best fixed action')!.at(-1), [10, 0.375]);
  // Differences 0.25 0 0.75 0.5, each twice: s^2 = 0.625 / 7.
  const half = 1.96 * Math.sqrt(0.625 / 7 / 8);
  const [, rise] = data.get('band-high')!.at(-1) as [number, number];
  assert.ok(Math.abs(rise - 2 * half) < 1e-4);
});

test('calibration groups prompts by what was expected of them', async () => {
  const rewards = Array.from({ length: 10 }, (_, i) => (i % 2) / 2);
  const lines = runFiles({ prompts: 10 })['evaluation.jsonl'].map((line) => ({
    ...line,
    eval_rewards: rewards,
    eval_predicted: rewards.map((reward) => reward + 0.1),
  }));
  const data = dataOf(calibration(await runOf({ ...files, 'evaluation.jsonl': lines })));
  assert.deepEqual(data.get('policy (greedy)'), [
    [0.1, 0],
    [0.6, 0.5],
  ]);
});

test('stage times are means of neighbours when there are more iterations than bars', async () => {
  const lines = runFiles({ iterations: 120 })['progress.jsonl'];
  const uneven = lines.map((line, i) => ({ ...line, seconds: { encode: i % 2, generate: 2 } }));
  const chart = stageTimes(await runOf({ ...files, 'progress.jsonl': uneven }));
  const data = dataOf(chart);
  assert.deepEqual(data.get('encode'), Array(60).fill(0.5));
  assert.deepEqual(data.get('generate'), Array(60).fill(2));
  assert.match(chart!.summary, /^2\.50 s an iteration: encode 20\.0 %, generate 80\.0 %\.$/);
});

test('rows without a dataset are in the whole and in no part of one', async () => {
  const rows = files['evaluation_rewards.jsonl'].map((row) => ({ ...row, dataset: '' }));
  const { slices } = actionMap(await runOf({ ...files, 'evaluation_rewards.jsonl': rows }))!;
  assert.deepEqual(
    slices.map(({ label }) => label).filter((label) => !/tokens|training/.test(label)),
    ['all evaluation prompts'],
  );
});
