import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodePolicyCheckpoint } from '@a2sf/run-store';
import { testPolicy } from './peers.fixture.js';
import { findResumePoint, resumedPolicy } from './resume-point.js';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../test/fixtures/seed-checkpoint/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'a2sf-resume-'));
after(() => rmSync(folder, { recursive: true }));

test('a checkpoint of ours goes on in the folder of its run', async () => {
  const path = join(folder, 'policy_0.safetensors');
  writeFileSync(path, testPolicy());
  writeFileSync(join(folder, 'config.json'), '{"options":{"seed":7}}');
  for (const named of [path, folder]) {
    const { kind, folder: at, iteration, config, configSource } = await findResumePoint(named);
    assert.deepEqual([kind, at, iteration, configSource], ['run', folder, 0, 'config.json']);
    assert.deepEqual(config, { options: { seed: 7 } });
  }
});

test('a checkpoint of the reference goes on with its iteration and the flags that mean the same here', async () => {
  const { kind, folder: at, iteration, checkpoint, config, warnings } = await findResumePoint(fixture('policy_10.pt'));
  assert.deepEqual([kind, at, iteration, warnings], ['reference', dirname(fixture('policy_10.pt')), 10, []]);
  assert.deepEqual(config, {
    options: {
      a_values: [0, 0.01, 10],
      b_values: [8, 64],
      hidden: 32,
      model_name: 'llama2',
      context_encoder_model: 'togethercomputer/m2-bert-80M-8k',
      episodes_per_update: 8,
      lr: 3e-4,
      ucb_beta: 1,
      max_grad_norm: 1,
      seed: 77,
      eval_frequency: 100,
      eval_samples: 5,
      log_frequency: 5,
    },
  });
  const numbers = { lr: 0.01, ucbBeta: 2, uncertaintyCoef: 0.1, maxGradNorm: 1 };
  const again = decodePolicyCheckpoint(resumedPolicy(checkpoint, numbers, 'hash')).checkpoint;
  assert.deepEqual(again, { ...checkpoint, hyperParameters: numbers, configHash: 'hash' });
});

test('its final checkpoint is iteration 0, and needs no run of ours around it', async () => {
  const alone = join(mkdtempSync(join(folder, 'alone-')), 'final.pt');
  copyFileSync(fixture('policy_final.pt'), alone);
  const { iteration, warnings, configSource } = await findResumePoint(alone);
  assert.deepEqual([iteration, configSource], [0, basename(alone)]);
  assert.deepEqual(warnings, ['final.pt: tells no iteration: taken as iteration 0']);
});

test('a checkpoint of the reference that is damaged or missing is refused by its name', async () => {
  const cut = join(folder, 'policy_3.pt');
  writeFileSync(cut, readFileSync(fixture('policy_10.pt')).subarray(0, 30_000));
  await assert.rejects(findResumePoint(cut), { code: 'DATA_LOSS', message: /^policy_3\.pt: / });
  await assert.rejects(findResumePoint(join(folder, 'none.pt')), { code: 'NOT_FOUND', field: 'resume' });
});
