import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NeuralUcb } from '@a2sf/bandit';
import { isA2sfError } from '@a2sf/errors';
import { parseSafetensors } from '@a2sf/tensor-files';
import { decodePolicyCheckpoint, encodePolicyCheckpoint } from './policy-checkpoint.js';
import { isTorchCheckpoint, readTorchCheckpoint } from './torch-checkpoint.js';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../test/fixtures/seed-checkpoint/${name}`, import.meta.url));

interface Expected {
  readonly iteration: number;
  readonly optimizer: { readonly param_order: readonly string[] };
  readonly config: Readonly<Record<string, unknown>>;
  readonly act: {
    readonly states: readonly number[][];
    readonly beta: number;
    readonly pred: readonly number[][];
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly ucb: readonly number[];
  };
}
const expected = JSON.parse(readFileSync(fixture('expected.json'), 'utf8')) as Expected;
const { tensors } = parseSafetensors(readFileSync(fixture('expected.safetensors')));

const folder = mkdtempSync(join(tmpdir(), 'a2sf-torch-checkpoint-'));
after(() => rmSync(folder, { recursive: true }));

test('the reference’s checkpoint is read bit for bit: weights, covariances, counts, moments, step', () => {
  for (const name of ['policy_10.pt', 'policy_10_main.pt', 'policy_final.pt']) {
    const { checkpoint } = readTorchCheckpoint(fixture(name));
    const { state } = checkpoint;
    const bytesOf = (key: string) => {
      const { data } = state.tensors.get(key)!;
      return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    };
    const names = [...tensors.keys()].filter((key) => key.startsWith('policy_state_dict.'));
    for (const key of names) {
      const ours = key.slice('policy_state_dict.'.length);
      assert.deepEqual(bytesOf(ours), tensors.get(key)!.data, `${name}: ${key}`);
      assert.deepEqual(state.tensors.get(ours)!.shape, tensors.get(key)!.shape);
    }
    for (const [i, parameter] of expected.optimizer.param_order.entries()) {
      for (const moment of ['exp_avg', 'exp_avg_sq']) {
        const key = `optimizer_state_dict.state.${i}.${moment}`;
        assert.deepEqual(bytesOf(`optimizer.${moment}.${parameter}`), tensors.get(key)!.data, `${name}: ${key}`);
      }
    }
    assert.equal(state.tensors.size, names.length + 12);
    assert.equal(state.optimizerStep, 10);
    const restored = NeuralUcb.restore(state);
    assert.deepEqual([restored.dimension, restored.hidden, restored.space.size], [16, 32, 6]);
    assert.deepEqual(restored.space.aValues, [0, 0.01, 10]);
  }
});

test('it predicts and chooses as it did in the reference', () => {
  const { states, beta, pred, a, b, ucb } = expected.act;
  const agent = NeuralUcb.restore(readTorchCheckpoint(fixture('policy_10.pt')).checkpoint.state);
  const contexts = states.map((state) => Float32Array.from(state));
  const near = (got: number, wanted: number) => assert.ok(Math.abs(got - wanted) <= 1e-5, `${got} is not ${wanted}`);
  for (const [n, row] of agent.predict(contexts).predictions.entries()) {
    for (const [i, value] of row.entries()) near(value, pred[n]![i]!);
  }
  for (const [n, choice] of agent.select(contexts, beta).entries()) {
    const action = agent.space.at(choice.actionIndex);
    assert.deepEqual([Math.fround(action.a), action.b], [a[n], b[n]]);
    near(choice.ucb, ucb[n]!);
  }
});

test('iteration, learning numbers and config are told; the final checkpoint tells no iteration', () => {
  for (const name of ['policy_10.pt', 'policy_10_main.pt']) {
    const { checkpoint, warnings, config } = readTorchCheckpoint(fixture(name));
    assert.deepEqual(warnings, []);
    assert.equal(checkpoint.iteration, expected.iteration);
    assert.equal(checkpoint.seed, 77);
    assert.deepEqual(checkpoint.hyperParameters, { lr: 3e-4, ucbBeta: 1, maxGradNorm: 1 });
    assert.deepEqual(Object.fromEntries(config), expected.config);
  }
  const final = readTorchCheckpoint(fixture('policy_final.pt'));
  assert.equal(final.checkpoint.iteration, 0);
  assert.deepEqual(final.warnings, ['policy_final.pt: tells no iteration: taken as iteration 0']);
});

test('written in our format it is the same policy', () => {
  const { checkpoint } = readTorchCheckpoint(fixture('policy_10.pt'));
  const { checkpoint: again, warnings } = decodePolicyCheckpoint(encodePolicyCheckpoint(checkpoint));
  assert.deepEqual(warnings, []);
  assert.deepEqual(again, checkpoint);
});

test('a .pt with any byte changed is the same policy or refused', () => {
  const bytes = readFileSync(fixture('policy_10.pt'));
  const { state } = readTorchCheckpoint(fixture('policy_10.pt')).checkpoint;
  const path = join(folder, 'policy_10.pt');
  for (let at = 0; at < bytes.length; at += 211) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 0x20;
    writeFileSync(path, changed);
    try {
      assert.deepEqual(readTorchCheckpoint(path).checkpoint.state, state, `byte ${at}`);
    } catch (error) {
      assert.ok(isA2sfError(error) && ['DATA_LOSS', 'FAILED_PRECONDITION'].includes(error.code), String(error));
      assert.ok(error.message.startsWith('policy_10.pt: '), error.message);
    }
  }
});

test('a PyTorch file that holds no policy is refused by that', () => {
  const model = fileURLToPath(new URL('../../../test/fixtures/lm-llama-bin/pytorch_model.bin', import.meta.url));
  assert.ok(isTorchCheckpoint(model));
  assert.throws(() => readTorchCheckpoint(model), { code: 'FAILED_PRECONDITION', message: /no policy_state_dict$/ });
  assert.ok(!isTorchCheckpoint(fixture('expected.safetensors')));
  assert.throws(() => readTorchCheckpoint(join(folder, 'missing.pt')), { code: 'NOT_FOUND' });
});
