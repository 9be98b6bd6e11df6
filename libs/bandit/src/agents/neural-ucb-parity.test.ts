import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseSafetensors, type Tensor } from '@a2sf/tensor-files';
import type { PolicyState, StateTensor } from '../policy-state.js';
import { NeuralUcb } from './neural-ucb.js';

// The reference's own class run by torch in single precision; the tolerances are those of the fixture's README.
const fixture = new URL('../../../../test/fixtures/neural-ucb/', import.meta.url);

interface Expected {
  readonly lr: number;
  readonly max_grad_norm: number;
  readonly act: Record<string, { argmax: number[]; a: number[]; b: number[] }>;
  readonly updates: { chosen: { loss32: number; grad_norm32: number }[] };
}

const load = (name: string): Map<string, Tensor> =>
  parseSafetensors(new Uint8Array(readFileSync(new URL(name, fixture)))).tensors;
const init = load('init.safetensors');
const inputs = load('inputs.safetensors');
const expected = load('expected_f32.safetensors');
const json = JSON.parse(readFileSync(new URL('expected.json', fixture), 'utf8')) as Expected;

function singles(tensors: Map<string, Tensor>, name: string): Float32Array {
  const tensor = tensors.get(name);
  assert.ok(tensor?.dtype === 'F32', name);
  return new Float32Array(tensor.data.buffer);
}

function wholes(tensors: Map<string, Tensor>, name: string): number[] {
  const tensor = tensors.get(name);
  assert.ok(tensor?.dtype === 'I64', name);
  return Array.from(new BigInt64Array(tensor.data.buffer), Number);
}

function rows(values: Float32Array, width: number): Float32Array[] {
  return Array.from({ length: values.length / width }, (_, n) => values.slice(n * width, (n + 1) * width));
}

function assertClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  name: string,
  absolute: number,
  relative = 0,
): void {
  assert.equal(got.length, want.length, name);
  for (let i = 0; i < want.length; i++) {
    const limit = absolute + relative * Math.abs(want[i]!);
    assert.ok(Math.abs(got[i]! - want[i]!) <= limit, `${name}[${i}]: got ${got[i]}, expected ${want[i]}`);
  }
}

const initial: PolicyState = {
  agent: 'neural-ucb',
  optimizerStep: 0,
  tensors: new Map(
    [...init].map(([name, { dtype, shape, data }]): [string, StateTensor] => [
      name,
      { shape, data: dtype === 'I64' ? new BigInt64Array(data.buffer) : new Float32Array(data.buffer) },
    ]),
  ),
};
const queries = rows(singles(inputs, 'query.states'), 16);
const concatenated = (arrays: readonly Float32Array[]): number[] => arrays.flatMap((array) => [...array]);

test('features, predictions and uncertainties are those of the reference', () => {
  const { predictions, features, uncertainties } = NeuralUcb.restore(initial).predict(queries);
  assertClose(concatenated(predictions), singles(expected, 'pred'), 'pred', 1e-6);
  assertClose(concatenated(features), singles(expected, 'feature'), 'feature', 1e-6, 1e-6);
  assertClose(concatenated(uncertainties), singles(expected, 'uncertainty'), 'uncertainty', 1e-5, 1e-5);
});

for (const [beta, { argmax, a, b }] of Object.entries(json.act)) {
  test(`with beta ${beta} the reference's actions are chosen, with its bounds`, () => {
    const agent = NeuralUcb.restore(initial);
    const choices = agent.select(queries, Number(beta));
    assert.deepEqual(
      choices.map(({ actionIndex }) => actionIndex),
      argmax,
    );
    assert.deepEqual(
      choices.map(({ actionIndex }) => agent.space.at(actionIndex)),
      argmax.map((_, n) => ({ a: a[n], b: b[n] })),
    );
    const bounds = choices.map(({ ucb }) => ucb);
    assertClose(bounds, singles(expected, `ucb_value.beta${beta}`), 'ucb', 1e-5, 1e-5);
  });
}

test('five updates leave the weights, moments, covariances, counts, losses and norms of the reference', () => {
  const agent = NeuralUcb.restore(initial);
  for (const [n, want] of json.updates.chosen.entries()) {
    const contexts = rows(singles(inputs, `batch${n}.states`), 16);
    const actions = wholes(inputs, `batch${n}.actions`);
    const rewards = singles(inputs, `batch${n}.rewards`);
    const batch = contexts.map((context, i) => ({ context, actionIndex: actions[i]!, reward: rewards[i]! }));
    const { loss, gradientNorm } = agent.update(batch, { lr: json.lr, maxGradNorm: json.max_grad_norm });
    assertClose([loss], [want.loss32], `loss ${n}`, 1e-6);
    assertClose([gradientNorm], [want.grad_norm32], `norm ${n}`, 1e-6, 1e-6);
    if (n === 0 || n === 4) assertState(agent, `chosen.after${n + 1}.`);
  }
});

function assertState(agent: NeuralUcb, prefix: string): void {
  const { tensors } = agent.state();
  let compared = 0;
  for (const name of expected.keys()) {
    if (!name.startsWith(prefix)) continue;
    const key = name.slice(prefix.length);
    if (key === 'pred') {
      assertClose(concatenated(agent.predict(queries).predictions), singles(expected, name), name, 1e-6);
    } else if (key === 'action_counts') {
      assert.deepEqual(agent.actionCounts(), wholes(expected, name));
    } else {
      const own = key.replace(/^adam_m\./, 'optimizer.exp_avg.').replace(/^adam_v\./, 'optimizer.exp_avg_sq.');
      const got = tensors.get(own);
      assert.ok(got?.data instanceof Float32Array, own);
      assertClose(got.data, singles(expected, name), name, key === 'inverse_lambdas' ? 1e-4 : 1e-6);
    }
    compared++;
  }
  assert.equal(compared, 6 + 12 + 3);
}
