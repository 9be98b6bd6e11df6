import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { NeuralUcb } from '@a2sf/bandit';
import { ActionSpace } from '@a2sf/kv-compression';
import { CheckpointFolder } from './checkpoint-folder.js';
import type { PolicyCheckpoint } from './policy-checkpoint.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-checkpoints-'));
after(() => rmSync(root, { recursive: true }));
const space = new ActionSpace([0], [1, 2]);
const state = NeuralUcb.initial({ space, dimension: 2, hidden: 3, seed: 0 }).state();
const at = (iteration: number): PolicyCheckpoint => ({
  state,
  iteration,
  policyVersion: iteration,
  encoderId: '',
  configHash: '',
  randomState: '',
  hyperParameters: {},
});

test('the last K checkpoints and the best are kept', async () => {
  const folder = await CheckpointFolder.open(join(root, 'keep'));
  assert.equal(await folder.latest(), undefined);
  for (const iteration of [0, 2, 10, 9, 100]) await folder.write(at(iteration));
  writeFileSync(join(folder.folder, 'policy_007.safetensors'), ''); // not a name of ours
  assert.deepEqual(await folder.list(), [0, 2, 9, 10, 100]);
  assert.deepEqual(await folder.prune(2, 2), [0, 9]);
  assert.deepEqual(await folder.list(), [2, 10, 100]);
  assert.equal(await folder.latest(), 100);
  assert.equal((await folder.read(10)).checkpoint.iteration, 10);
  await assert.rejects(folder.prune(0), { code: 'INVALID_ARGUMENT' });
});

test('a damaged checkpoint is refused and the one before it offered', async () => {
  const folder = await CheckpointFolder.open(join(root, 'damaged'));
  for (const iteration of [5, 10]) truncateSync(await folder.write(at(iteration)), 1000);
  await assert.rejects(folder.read(5), { code: 'DATA_LOSS', message: /^policy_5\.safetensors: (?!.*before it)/ });
  await assert.rejects(folder.read(10), {
    code: 'DATA_LOSS',
    message: /the checkpoint before it is policy_5\.safetensors$/,
  });
  await assert.rejects(folder.read(11), { code: 'NOT_FOUND', message: 'policy_11.safetensors: no such file' });
});

test('opening the folder clears what a dead writer left', async () => {
  const path = join(root, 'leftover');
  await CheckpointFolder.open(path);
  writeFileSync(join(path, '.policy_3.safetensors.999999999.00000000.tmp'), '');
  const folder = await CheckpointFolder.open(path);
  assert.deepEqual(readdirSync(path), []);
  assert.deepEqual(await folder.list(), []);
});
