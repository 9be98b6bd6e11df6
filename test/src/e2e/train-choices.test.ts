import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { metricNames } from '@a2sf/rewards';
import { fixtures, runA2sf, startService, type RunningService } from '../processes.js';

const scratch = mkdtempSync(join(tmpdir(), 'a2sf-train-choices-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Two episodes, two actions, four prompts of evaluation: enough to ask for every kind of reward. */
const smallest = [
  '--iterations 1 --episodes_per_update 2 --log_frequency 1 --eval_samples 4 --eval_frequency 1',
  '--a_values 10 --b_values 8 64 --budget 32 --max_new_tokens 6 --seed 7 --http_port 0',
].flatMap((line) => line.split(' '));

let runs = 0;
/** Trains and gives the policy's and the full cache's mean reward of the evaluation. */
async function train(flags: readonly string[]): Promise<{ policy: number; full: number }> {
  const folder = join(scratch, `${runs++}`);
  const { code, stderr } = await runA2sf(['train', ...smallest, '--save_dir', folder, ...flags]);
  assert.equal(code, 0, stderr);
  const line = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8').split('\n')[0]!) as object;
  const { avg_reward: trained } = line('progress.jsonl') as { avg_reward: number };
  const evaluation = line('evaluation.jsonl') as {
    eval_avg_reward: number;
    baselines: { full: { mean: number } };
  };
  const policy = evaluation.eval_avg_reward;
  for (const value of [trained, policy]) assert.ok(value >= -1 && value <= 1, `${value}`);
  assert.ok(existsSync(join(folder, 'policy_1.safetensors')));
  return { policy, full: evaluation.baselines.full.mean };
}

describe('a2sf train', () => {
  let services: Record<'encoder' | 'generator' | 'reward' | 'policy', RunningService>;
  /** Flags that drive the running services, with an encoder in the place of the embedded one if given. */
  const driving = (encoder = services.encoder): string[] =>
    Object.entries({
      '--generators': services.generator,
      '--reward_service': services.reward,
      '--policy': services.policy,
    })
      .concat([['--encoder', encoder]])
      .flatMap(([flag, { address }]) => [flag, address]);
  before(async () => {
    const [encoder, generator, reward, policy] = await Promise.all([
      startService('encoder'),
      startService('generator', '--threads', '1'),
      startService('reward'),
      startService('policy'),
    ]);
    services = { encoder, generator, reward, policy };
  });
  after(() => Promise.all(Object.values(services).map((service) => service.stop())));

  /** Rows that every metric can score: they name classes as well. */
  const rows = (): string => {
    const file = join(scratch, 'rows.jsonl');
    const row = (i: number) => ({
      id: `${i}`,
      dataset: 'trec',
      prompt: `Here are words and their classes.\nWord: ${['river', 'lamp', 'horse'][i % 3]!}\nClass: thing\n`.repeat(
        8,
      ),
      answers: ['thing'],
      all_classes: ['thing', 'animal'],
    });
    writeFileSync(file, Array.from({ length: 10 }, (_, i) => JSON.stringify(row(i))).join('\n'));
    return file;
  };
  /** A sentence-transformers folder whose weights are an ONNX export alone. */
  const exported = (): string => {
    const folder = join(scratch, 'exported');
    cpSync(join(fixtures, 'bert'), folder, { recursive: true });
    rmSync(join(folder, 'model.safetensors'));
    return folder;
  };
  const minilm = process.env['A2SF_MINILM'];
  const encoders: readonly [string, () => string, boolean?][] = [
    ['BERT with mean pooling', () => join(fixtures, 'bert')],
    ['JinaBERT', () => join(fixtures, 'jina-bert')],
    ['an ONNX export of sentence-transformers', exported],
    ['MiniLM, named by A2SF_MINILM', () => minilm!, minilm === undefined],
  ];
  for (const [name, folder, skip = false] of encoders) {
    test(`learns from the embeddings of ${name}, and rewards by their cosine`, { skip }, async () => {
      const encoder = await startService('encoder', '--model_name', folder());
      const reward = await startService('reward', '--model_name', folder());
      const flags = ['--reward', 'cosine', ...driving(encoder), '--reward_service', reward.address];
      const { full } = await train(flags);
      await Promise.all([encoder.stop(), reward.stop()]);
      assert.equal(full, 1);
    });
  }

  test('starts the encoder that --context_encoder_model names', async () => {
    await train(['--reward', 'rouge_l', '--context_encoder_model', join(fixtures, 'jina-bert')]);
  });

  // A mix holds eight metrics, so two of them compute every metric there is.
  const mix = (names: readonly string[]): string =>
    `mix:${names.map((name) => `${name}=${1 / names.length}`).join(',')}`;
  const always = ['cosine', 'log_prob', 'dataset', mix(metricNames.slice(0, 8)), mix(metricNames.slice(8))];
  const withLongTests = metricNames.filter((name) => !always.includes(name));
  for (const name of [...always, ...withLongTests]) {
    const skip = withLongTests.includes(name) && process.env['A2SF_LONG_TESTS'] !== '1';
    test(`learns from the reward ${name}`, { skip: skip && 'A2SF_LONG_TESTS is not 1' }, async () => {
      const { policy, full } = await train(['--reward', name, '--data', rows(), ...driving()]);
      // The full cache earns 1 against its own text, unless probabilities or answers are asked for.
      if (/log_prob|dataset/.test(name)) assert.ok(full >= 0 && full < 1, `${full}`);
      else assert.equal(full, 1);
      assert.ok(policy <= 1);
    });
  }

  test('refuses a reward that the rows cannot have, naming what they lack', async () => {
    const { code, stderr } = await runA2sf(['train', '--reward', 'classification', ...driving()]);
    assert.equal(code, 1);
    assert.match(stderr, /--reward: all_classes: must hold 1\.\.256 entries, holds 0/);
  });
});
