import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isA2sfError } from '@a2sf/errors';
import { readRun } from './read-run.js';
import { runFiles, writeRun } from './run.fixture.js';

async function reading(files: Readonly<Record<string, unknown>>) {
  const folder = writeRun(files);
  try {
    return await readRun(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const refusal = (code: string, message: RegExp) => (error: unknown) =>
  isA2sfError(error) && error.code === code && message.test(error.message);

test('a run is read as it was written', async () => {
  const run = await reading(runFiles());
  assert.deepEqual([run.progress.length, run.evaluations.length, run.rewards.length, run.texts.length], [10, 3, 9, 1]);
  assert.equal(run.progress[0]!.loss, undefined);
  assert.deepEqual(
    [...run.progress[1]!.seconds],
    [
      ['encode', 0.5],
      ['generate', 1.5],
    ],
  );
  assert.deepEqual(run.evaluations[0]!.baselines.get('best_fixed')!.action, { a: 10, b: 16 });
  assert.equal(run.rewards[1]!.index, 7);
});

test('a folder of a config alone is a run that has just begun', async () => {
  const run = await reading({ 'config.json': {} });
  assert.deepEqual([run.progress, run.evaluations, run.rewards, run.texts], [[], [], [], []]);
});

test('a line in the making is left out and left alone', async () => {
  const folder = writeRun(runFiles());
  const file = join(folder, 'progress.jsonl');
  appendFileSync(file, '{"iteration":11,"avg');
  const before = readFileSync(file);
  assert.equal((await readRun(folder)).progress.length, 10);
  assert.ok(readFileSync(file).equals(before));
  assert.equal(readdirSync(folder).length, 6);
  rmSync(folder, { recursive: true });
});

test('what is damaged is named with file, line and field', async () => {
  const whole = runFiles();
  const evaluation = whole['evaluation.jsonl'][0]!;
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['config.json', '{', /^config\.json: is no JSON$/],
    ['config.json', '[]', /^config\.json: must be an object$/],
    ['config.json', { options: 3 }, /^config\.json: options: must be an object$/],
    ['progress.jsonl', '{"iteration":1}\n', /^progress\.jsonl: line 1: avg_reward: must be a finite number$/],
    ['progress.jsonl', '\n', /^progress\.jsonl: line 1 is no JSON$/],
    [
      'progress.jsonl',
      [whole['progress.jsonl'][0], { ...whole['progress.jsonl'][1]!, iteration: 1.5 }],
      /^progress\.jsonl: line 2: iteration: must be a whole number of at least 0$/,
    ],
    ['evaluation.jsonl', [{ ...evaluation, eval_rewards: [1] }], /^evaluation\.jsonl: line 1: its lists of prompts/],
    ['evaluation.jsonl', [{ ...evaluation, eval_predicted: [1] }], /^evaluation\.jsonl: line 1: its lists of prompts/],
    [
      'evaluation.jsonl',
      [{ ...evaluation, baselines: { h2o: 1 } }],
      /^evaluation\.jsonl: line 1: baselines: h2o: must/,
    ],
    ['evaluation_rewards.jsonl', [{ key: 'k', id: 3 }], /^evaluation_rewards\.jsonl: line 1: id: must be a text$/],
    ['quality/results.jsonl', [{ datasets: 1 }], /^results\.jsonl: line 1: datasets: must be an object$/],
    ['evaluation_texts.jsonl', [{}], /^evaluation_texts\.jsonl: line 1: key: must be a text$/],
  ];
  for (const [name, value, message] of cases) {
    await assert.rejects(reading({ ...whole, [name]: value }), refusal('DATA_LOSS', message), String(message));
  }
});

test('no folder and no run are told apart', async () => {
  await assert.rejects(readRun('/nowhere/run-7'), refusal('NOT_FOUND', /^run-7: there is no such folder$/));
  await assert.rejects(reading({}), refusal('NOT_FOUND', /holds no run: its config\.json cannot be read$/));
});
