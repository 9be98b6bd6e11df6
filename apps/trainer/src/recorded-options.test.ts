import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveOptions } from '@a2sf/config';
import { options, withProfile, type Profile } from './options.js';
import { recordedIdentities, recordOptions, resumeOptions } from './recorded-options.js';

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
