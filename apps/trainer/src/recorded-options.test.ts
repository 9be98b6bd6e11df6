import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveOptions } from '@a2sf/config';
import { options, withProfile, type Profile } from './options.js';
import { recordedIdentities, recordOptions, recordSources, resumeOptions } from './recorded-options.js';

const command = { name: 'a2sf train', description: '' };
const resolve = (argv: readonly string[], profile: Profile = {}) =>
  resolveOptions(command, withProfile(profile), argv, {});

test('the defaults are the seed’s', () => {
  const { values } = resolve([]);
  assert.deepEqual(
    {
      iterations: values.iterations,
      episodesPerUpdate: values.episodesPerUpdate,
      lr: values.lr,
      ucbBeta: values.ucbBeta,
      uncertaintyCoef: values.uncertaintyCoef,
      maxGradNorm: values.maxGradNorm,
      evalFrequency: values.evalFrequency,
      evalSamples: values.evalSamples,
      logFrequency: values.logFrequency,
      saveDir: values.saveDir,
      seed: values.seed,
      budget: values.budget,
      maxNewTokens: values.maxNewTokens,
      reward: values.reward,
      device: values.device,
      actions: values.aValues.length * values.bValues.length,
    },
    {
      iterations: 1000,
      episodesPerUpdate: 256,
      lr: 3e-4,
      ucbBeta: 1,
      uncertaintyCoef: 0.1,
      maxGradNorm: 1,
      evalFrequency: 100,
      evalSamples: 50,
      logFrequency: 10,
      saveDir: 'runs/a2sf_rl',
      seed: 42,
      budget: 128,
      maxNewTokens: 16,
      reward: 'cosine',
      device: 'auto',
      actions: 60,
    },
  );
});

test('the seed’s flags are taken in both spellings', () => {
  const { values } = resolve([
    '--episodes-per-update',
    '8',
    '--ucb_beta=0.5',
    '--gpus',
    '0',
    '1',
    '--context_encoder_model',
    'x',
  ]);
  assert.deepEqual(
    [values.episodesPerUpdate, values.ucbBeta, values.gpus, values.contextEncoderModel],
    [8, 0.5, [0, 1], 'x'],
  );
});

test('a profile changes defaults and gives way to flags', () => {
  const { values } = resolve(['--budget', '32'], { budget: 64, reward: 'rouge_l' });
  assert.deepEqual([values.budget, values.reward, values.iterations], [32, 'rouge_l', 1000]);
});

test('a resumed run takes the flags that are not given from its record, also those that were not set', () => {
  const begun = resolve(['--budget', '64', '--lr', '0.01', '--a_values', '0', '10', '--iterations', '5']);
  const config = JSON.parse(JSON.stringify({ options: recordOptions(options, begun.values) })) as unknown;
  const now = resolve(['--resume', 'x', '--iterations', '9', '--http_port', '0']);
  const values = resumeOptions(options, now, config);
  assert.deepEqual({ ...begun.values, iterations: 9, resume: 'x', httpPort: 0 }, values);
});

test('a record that holds no valid value is DATA_LOSS naming it', () => {
  const now = resolve(['--resume', 'x']);
  assert.throws(() => resumeOptions(options, now, { options: { budget: -1 } }), {
    code: 'DATA_LOSS',
    message: /options\.budget: must be a whole number/,
  });
  assert.throws(() => resumeOptions(options, now, [1]), { code: 'DATA_LOSS' });
  assert.equal(recordedIdentities({ model_id: 'm' }).modelId, 'm');
});

test('the record says where each value came from: flag, variable, file, preset, store or default', () => {
  const folder = mkdtempSync(join(tmpdir(), 'a2sf-sources-'));
  try {
    const file = join(folder, 'run.yaml');
    writeFileSync(file, 'budget: 64\n');
    const argv = ['--seed', '7', '--config', file, '--model_name', 'llama2'];
    const sources = recordSources(options, resolveOptions(command, options, argv, { A2SF_LR: '0.1' }));
    assert.deepEqual(
      ['seed', 'lr', 'budget', 'max_prompt_tokens', 'reward'].map((flag) => sources[flag]),
      ['flag', 'environment A2SF_LR', `file ${file}`, 'preset llama2', 'default'],
    );
    assert.deepEqual(Object.keys(sources), Object.keys(recordOptions(options, resolve([]).values)));
    const given = recordSources(options, resolve(['--model_name', 'llama2', '--max_prompt_tokens', '9']));
    assert.deepEqual(given['max_prompt_tokens'], 'flag');
    const stored = recordSources(options, resolve(['--from_store', 'rows']));
    assert.deepEqual([stored['budget'], stored['lr']], ['store rows', 'default']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a resumed run keeps what its record says of values that are not given anew', () => {
  const begun = resolve(['--lr', '0.1', '--seed', '7']);
  const config = { options: recordOptions(options, begun.values), option_sources: recordSources(options, begun) };
  const sources = recordSources(options, resolve(['--seed', '8', '--iterations', '9']), config);
  assert.deepEqual(
    ['lr', 'seed', 'iterations', 'budget'].map((flag) => sources[flag]),
    ['flag', 'flag', 'flag', 'default'],
  );
  const resolution = resolve([]);
  const older = { ...resolution, sources: { ...resolution.sources, lr: 'run' as const } };
  assert.deepEqual(recordSources(options, older, { options: {} })['lr'], 'run');
});
