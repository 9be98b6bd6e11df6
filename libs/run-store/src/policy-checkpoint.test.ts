import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { NeuralUcb, restoreAgent } from '@a2sf/bandit';
import { Random } from '@a2sf/random';
import { isA2sfError } from '@a2sf/errors';
import { ActionSpace } from '@a2sf/kv-compression';
import { encodeSafetensors, parseSafetensors, type Tensor } from '@a2sf/tensor-files';
import { decodePolicyCheckpoint, encodePolicyCheckpoint, type PolicyCheckpoint } from './policy-checkpoint.js';

const random = new Random(1);
const agent = NeuralUcb.initial({ space: new ActionSpace([0, 0.01], [8, 64]), dimension: 6, hidden: 12, seed: 3 });
const batch = Array.from({ length: 5 }, (_, n) => ({
  context: Float32Array.from({ length: 6 }, () => random.uniform()),
  actionIndex: n % 4,
  reward: random.uniform(),
}));
agent.update(batch, { lr: 1e-3, maxGradNorm: 1 });

const checkpoint: PolicyCheckpoint = {
  state: agent.state(),
  iteration: 7,
  policyVersion: 9,
  encoderId: 'tiny-encoder@0123',
  configHash: 'abc',
  randomState: random.state(),
  seed: 42,
  hyperParameters: { lr: 3e-4, ucbBeta: 1, uncertaintyCoef: 0.1, maxGradNorm: 1 },
};
const bytes = encodePolicyCheckpoint(checkpoint);

/** The file with other metadata, and the hash it had. */
function withMetadata(change: Record<string, string | undefined>): Uint8Array {
  const { tensors, metadata } = parseSafetensors(bytes);
  const entries = Object.entries({ ...metadata, ...change }).filter(([, text]) => text !== undefined);
  return encodeSafetensors(tensors, Object.fromEntries(entries) as Record<string, string>);
}

test('a checkpoint comes back as it was written, and equal checkpoints give equal bytes', () => {
  const { checkpoint: got, warnings } = decodePolicyCheckpoint(bytes);
  assert.deepEqual(warnings, []);
  assert.deepEqual({ ...got, state: undefined }, { ...checkpoint, state: undefined });
  assert.equal(got.state.agent, 'neural-ucb');
  assert.equal(got.state.optimizerStep, 1);
  assert.deepEqual(got.state.tensors, checkpoint.state.tensors);
  assert.deepEqual(encodePolicyCheckpoint(got), bytes);
  assert.deepEqual(restoreAgent(got.state).state(), agent.state());
});

test('the tensors carry the names of the reference and the metadata those of the format', () => {
  const { tensors, metadata } = parseSafetensors(bytes);
  const network = ['backbone.0.bias', 'backbone.0.weight', 'backbone.2.bias', 'backbone.2.weight'];
  const weights = [...network, 'reward_head.bias', 'reward_head.weight'];
  const moments = ['exp_avg', 'exp_avg_sq'].flatMap((moment) => weights.map((name) => `optimizer.${moment}.${name}`));
  const own = ['a_values', 'action_counts', 'b_values', 'inverse_lambdas', 'lambdas'];
  assert.deepEqual([...tensors.keys()].sort(), [...weights, ...moments, ...own].sort());
  assert.deepEqual(tensors.get('inverse_lambdas')!.shape, [4, 12, 12]);
  assert.equal(tensors.get('a_values')!.dtype, 'F32');
  assert.equal(tensors.get('b_values')!.dtype, 'I64');
  assert.equal(metadata['format_version'], '1');
  assert.equal(metadata['iteration'], '7');
  assert.equal(metadata['ucb_beta'], '1');
  assert.match(metadata['sha256']!, /^[0-9a-f]{64}$/);
});

test('a file cut anywhere is refused with DATA_LOSS', () => {
  for (let length = 0; length < bytes.length; length += length < 4096 ? 61 : 1021) {
    assert.throws(() => decodePolicyCheckpoint(bytes.subarray(0, length), 'policy_7.safetensors'), {
      code: 'DATA_LOSS',
      message: /^policy_7\.safetensors: /,
    });
  }
});

test('a file of several megabytes cut at any 4 KiB is refused with DATA_LOSS', () => {
  const wide = NeuralUcb.initial({ space: ActionSpace.default, dimension: 16, hidden: 128, seed: 1 });
  const large = encodePolicyCheckpoint({ ...checkpoint, state: wide.state() });
  assert.ok(large.length > 3 * 2 ** 20);
  for (let length = 0; length < large.length; length += 4096) {
    assert.throws(() => decodePolicyCheckpoint(large.subarray(0, length)), { code: 'DATA_LOSS' });
  }
});

test('one flipped bit anywhere is found', () => {
  const damaged = bytes.slice();
  const refused = (bit: number): void => {
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(
      () => decodePolicyCheckpoint(damaged),
      // A flipped digit may also read as a newer version of the format.
      (error) => isA2sfError(error) && (error.code === 'DATA_LOSS' || error.reason === 'newer-format'),
      `bit ${bit}`,
    );
    damaged[bit >> 3]! ^= 1 << (bit & 7);
  };
  for (let bit = 0; bit < 8 * bytes.length; bit++) refused(bit);
  assert.deepEqual(damaged, bytes);
});

test('swapped tensors, a lost hash and a lost version are found', () => {
  const { tensors, metadata } = parseSafetensors(bytes);
  const swapped = new Map<string, Tensor>(tensors);
  swapped.set('backbone.0.bias', tensors.get('backbone.2.bias')!);
  swapped.set('backbone.2.bias', tensors.get('backbone.0.bias')!);
  assert.throws(() => decodePolicyCheckpoint(encodeSafetensors(swapped, { ...metadata })), { message: /SHA-256/ });
  assert.throws(() => decodePolicyCheckpoint(withMetadata({ sha256: undefined })), { code: 'DATA_LOSS' });
  assert.throws(() => decodePolicyCheckpoint(withMetadata({ format_version: undefined })), { code: 'DATA_LOSS' });
  assert.throws(() => decodePolicyCheckpoint(withMetadata({ iteration: '8' })), { code: 'DATA_LOSS' });
});

test('the bytes of a policy whose actions name no budget are those of version 1; with budgets they are of version 2', () => {
  const ofSpace = (space: ActionSpace) =>
    encodePolicyCheckpoint({
      ...checkpoint,
      state: NeuralUcb.initial({ space, dimension: 6, hidden: 8, seed: 7 }).state(),
    });
  const plain = ofSpace(new ActionSpace([0, 10], [1, 16, 64]));
  assert.equal(
    createHash('sha256').update(plain).digest('hex'),
    'b6a3d0ed46fc156f259bb0397ed92799d86803e555958968c55ee0d797d8d24b',
  );
  const budgets = ofSpace(new ActionSpace([0, 10], [1, 16, 64], [32, 64]));
  const { tensors, metadata } = parseSafetensors(budgets);
  assert.equal(metadata['format_version'], '2');
  assert.deepEqual(tensors.get('budgets')!.shape, [2]);
  assert.deepEqual(tensors.get('action_counts')!.shape, [12]);
  assert.deepEqual(encodePolicyCheckpoint(decodePolicyCheckpoint(budgets).checkpoint), budgets);
});

test('more than one step per update is of version 3, which older programs refuse: they would learn otherwise', () => {
  const withSteps = (stepsPerUpdate: number) =>
    encodePolicyCheckpoint({ ...checkpoint, hyperParameters: { ...checkpoint.hyperParameters, stepsPerUpdate } });
  const versionOf = (file: Uint8Array) => parseSafetensors(file).metadata['format_version'];
  assert.deepEqual([versionOf(bytes), versionOf(withSteps(1)), versionOf(withSteps(4))], ['1', '1', '3']);
  assert.equal(decodePolicyCheckpoint(withSteps(4)).checkpoint.hyperParameters.stepsPerUpdate, 4);
});

test('a newer format is refused by its number', () => {
  assert.throws(() => decodePolicyCheckpoint(withMetadata({ format_version: '4' }), 'policy_7.safetensors'), {
    code: 'FAILED_PRECONDITION',
    message: 'policy_7.safetensors: has format version 4, this program reads up to 3',
  });
});

test('a bare file is iteration 0 of an unknown encoder, with a warning', () => {
  const init = readFileSync(new URL('../../../test/fixtures/neural-ucb/init.safetensors', import.meta.url));
  const { checkpoint: got, warnings } = decodePolicyCheckpoint(init, 'init.safetensors');
  assert.match(warnings.join(), /init\.safetensors: has no metadata/);
  assert.equal(got.iteration, 0);
  assert.equal(got.encoderId, '');
  assert.deepEqual(got.hyperParameters, {});
  const restored = restoreAgent(got.state);
  assert.deepEqual([restored.dimension, restored.hidden], [16, 32]);
  assert.deepEqual(restored.space.aValues, [0, 0.01, 10]);
  assert.deepEqual(restored.space.bValues, [8, 64]);
  assert.equal(restored.state().optimizerStep, 0);
});

test('numbers that no checkpoint can hold are not written', () => {
  assert.throws(() => encodePolicyCheckpoint({ ...checkpoint, iteration: 0.5 }), { field: 'iteration' });
  assert.throws(() => encodePolicyCheckpoint({ ...checkpoint, hyperParameters: { lr: NaN } }), { field: 'lr' });
});

test('what is written for serving lacks what only learning needs, says so, and predicts the same', () => {
  const small = encodePolicyCheckpoint({ ...checkpoint, servingOnly: true });
  const { tensors, metadata } = parseSafetensors(small);
  assert.ok(![...tensors.keys()].some((name) => name.startsWith('optimizer.') || name === 'lambdas'));
  assert.equal(metadata['serving_only'], 'true');
  assert.equal(parseSafetensors(bytes).metadata['serving_only'], undefined);
  const { checkpoint: got } = decodePolicyCheckpoint(small);
  assert.equal(got.servingOnly, true);
  assert.equal(decodePolicyCheckpoint(bytes).checkpoint.servingOnly, undefined);
  const contexts = batch.map(({ context }) => context);
  assert.deepEqual(restoreAgent(got.state, { learns: false }).select(contexts, 2), agent.select(contexts, 2));
});
