import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActionSpace } from '@a2sf/kv-compression';
import { Random } from '@a2sf/random';
import { agentNames, agentType, restoreAgent } from '../registry.js';
import type { PolicyState, StateTensor } from '../policy-state.js';
import { NeuralUcb } from './neural-ucb.js';

const space = new ActionSpace([0, 10], [1, 16]);
const options = { lr: 3e-4, maxGradNorm: 1 };
const fresh = (seed = 1): NeuralUcb => NeuralUcb.initial({ space, dimension: 8, hidden: 16, seed });

function observations(random: Random, count: number) {
  return Array.from({ length: count }, () => ({
    context: Float32Array.from({ length: 8 }, () => 2 * random.uniform() - 1),
    actionIndex: random.below(space.size),
    reward: random.uniform(),
  }));
}

test('the registry makes and restores every agent it names', () => {
  for (const name of agentNames()) {
    const agent = agentType(name).initial({ space, dimension: 8, hidden: 16, seed: 3 });
    assert.equal(agent.state().agent, name);
    assert.deepEqual(restoreAgent(agent.state()).state(), agent.state());
  }
  assert.throws(() => agentType('nothing'), { code: 'INVALID_ARGUMENT' });
});

test('the same seed gives the same agent, another seed another one', () => {
  assert.deepEqual(fresh(5).state(), fresh(5).state());
  assert.notDeepEqual(fresh(5).state(), fresh(6).state());
});

test('an agent restored between updates goes on bit by bit', () => {
  const random = new Random(9);
  const batches = [observations(random, 5), observations(random, 1), observations(random, 7)];
  const whole = fresh();
  let stopped = fresh();
  for (const batch of batches) {
    const report = whole.update(batch, options);
    assert.deepEqual(stopped.update(batch, options), report);
    stopped = NeuralUcb.restore(stopped.state());
  }
  assert.deepEqual(stopped.state(), whole.state());
  assert.equal(whole.state().optimizerStep, 3);
  assert.equal(
    whole.actionCounts().reduce((x, y) => x + y),
    13,
  );
});

test('a choice does not depend on the batch around it', () => {
  const agent = fresh();
  const batch = observations(new Random(2), 9);
  agent.update(batch, options);
  const contexts = batch.map(({ context }) => context);
  const betas = contexts.map((_, n) => n % 3);
  const together = agent.select(contexts, betas);
  assert.deepEqual(
    together,
    contexts.map((context, n) => agent.select([context], betas[n]!)[0]),
  );
  const { predictions, uncertainties } = agent.predict(contexts);
  for (const [n, { actionIndex, prediction, uncertainty, ucb }] of together.entries()) {
    assert.equal(Math.fround(prediction), predictions[n]![actionIndex]);
    assert.equal(Math.fround(uncertainty), uncertainties[n]![actionIndex]);
    assert.equal(ucb, prediction + betas[n]! * Math.sqrt(uncertainty + 1e-6));
  }
});

test('equal actions are tied and the lowest index wins', () => {
  const agent = fresh();
  const [choice] = agent.select([new Float32Array(8)], 1);
  assert.equal(choice!.actionIndex, 0);
  assert.equal(choice!.prediction, 0.5);
  assert.equal(choice!.uncertainty, 0);
});

test('identical, zero and huge contexts with constant rewards leave every number finite and every bonus at least 0', () => {
  const agent = fresh();
  const contexts = [new Float32Array(8), new Float32Array(8).fill(1e6), new Float32Array(8).fill(1e-30)];
  for (let n = 0; n < 200; n++) {
    const batch = contexts.map((context) => ({ context, actionIndex: n % 2, reward: n < 100 ? 0 : 1 }));
    const { loss, gradientNorm } = agent.update(batch, options);
    assert.ok(Number.isFinite(loss) && Number.isFinite(gradientNorm));
  }
  for (const { uncertainty, ucb } of agent.select(contexts, 1)) assert.ok(uncertainty >= 0 && Number.isFinite(ucb));
  NeuralUcb.restore(agent.state()); // refuses numbers that are not finite
});

test('bad input is refused and changes nothing', () => {
  const agent = fresh();
  const before = agent.state();
  const good = observations(new Random(4), 2);
  const withLast = (change: object) => [good[0]!, { ...good[1]!, ...change }];
  const refused = (change: object, expected: object) =>
    assert.throws(() => agent.update(withLast(change), options), expected);
  refused({ reward: NaN }, { code: 'INVALID_ARGUMENT', field: 'batch[1].reward' });
  refused({ reward: 1.5 }, { code: 'INVALID_ARGUMENT' });
  refused({ actionIndex: 4 }, { code: 'INVALID_ARGUMENT', field: 'batch[1].action_index' });
  refused({ context: new Float32Array(7) }, { code: 'FAILED_PRECONDITION', message: /has 7 numbers.*made for 8/ });
  refused({ context: new Float32Array(8).fill(NaN) }, { code: 'INVALID_ARGUMENT', field: 'batch[1].context[0]' });
  refused({ context: new Float32Array(8).fill(1e38) }, { code: 'INVALID_ARGUMENT' });
  assert.throws(() => agent.update([], options), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => agent.update(good, { ...options, lr: 0 }), { code: 'INVALID_ARGUMENT', field: 'lr' });
  assert.throws(() => agent.select([good[0]!.context], -1), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => agent.select([good[0]!.context], NaN), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => agent.select([good[0]!.context], [1, 1]), { code: 'INVALID_ARGUMENT' });
  assert.deepEqual(agent.state(), before);
});

test('a stored state with a missing, misshapen or impossible tensor is refused by its name', () => {
  const state = fresh().state();
  const restoreWith = (name: string, tensor: StateTensor | undefined): NeuralUcb => {
    const tensors = new Map(state.tensors);
    if (tensor === undefined) tensors.delete(name);
    else tensors.set(name, tensor);
    return NeuralUcb.restore({ ...state, tensors } satisfies PolicyState);
  };
  for (const [name, { shape, data }] of state.tensors) {
    const refusal = { code: 'DATA_LOSS', message: new RegExp(`^tensor ${name.replaceAll('.', '\\.')}: `) };
    assert.throws(() => restoreWith(name, undefined), refusal);
    assert.throws(() => restoreWith(name, { shape: [...shape, 1], data }), { code: 'DATA_LOSS' });
    assert.throws(() => restoreWith(name, { shape, data: data.slice(1) }), { code: 'DATA_LOSS' });
    const other = data instanceof Float32Array ? new BigInt64Array(data.length) : new Float32Array(data.length);
    assert.throws(() => restoreWith(name, { shape, data: other }), { code: 'DATA_LOSS' });
    const bad = data.slice();
    if (bad instanceof Float32Array) bad[bad.length - 1] = NaN;
    else bad[bad.length - 1] = -1n;
    assert.throws(() => restoreWith(name, { shape, data: bad }), { code: 'DATA_LOSS' });
  }
  const noDiagonal = new Float32Array(4 * 16 * 16);
  assert.throws(() => restoreWith('inverse_lambdas', { shape: [4, 16, 16], data: noDiagonal }), {
    message: /diagonal/,
  });
});

test('a state without moments starts the optimizer at step 0', () => {
  const agent = fresh();
  agent.update(observations(new Random(8), 3), options);
  const state = agent.state();
  const tensors = new Map([...state.tensors].filter(([name]) => !name.startsWith('optimizer.')));
  const restored = NeuralUcb.restore({ ...state, tensors }).state();
  assert.equal(restored.optimizerStep, 0);
  assert.ok(restored.tensors.get('optimizer.exp_avg.backbone.0.bias')!.data.every((value) => value === 0));
});

test('a batch that is asked for again gives the same numbers, and after a step those of the new weights', () => {
  const random = new Random(12);
  const batch = observations(random, 6);
  const contexts = batch.map(({ context }) => context);
  const agent = fresh();
  const first = agent.select(contexts, 1);
  assert.deepEqual(agent.select(contexts, 1), first);
  for (let n = 0; n < 3; n++) {
    agent.update(batch, options);
    const restored = NeuralUcb.restore(agent.state());
    assert.deepEqual(agent.select(contexts, 1), restored.select(contexts, 1));
    assert.notEqual(agent.select(contexts, 1)[0]!.prediction, first[0]!.prediction);
  }
  // One that was changed in place is another one.
  contexts[0]![0]! += 0.5;
  assert.deepEqual(agent.select(contexts, 1), NeuralUcb.restore(agent.state()).select(contexts, 1));
});
