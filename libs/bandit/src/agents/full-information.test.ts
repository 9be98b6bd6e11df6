import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActionSpace } from '@a2sf/kv-compression';
import { Random } from '@a2sf/random';
import type { FullObservation } from '../agent.js';
import { NeuralUcb } from './neural-ucb.js';

const space = new ActionSpace([0, 10], [1, 16]);
const shape = { D: 5, h: 6, A: 4 };
const learning = { lr: 1e-2, maxGradNorm: 1e9 };

function batchOf(random: Random, count: number): FullObservation[] {
  return Array.from({ length: count }, () => ({
    context: Float32Array.from({ length: shape.D }, () => 2 * random.uniform() - 1),
    rewards: Float32Array.from({ length: shape.A }, () => random.uniform()),
  }));
}

const fresh = (): NeuralUcb => NeuralUcb.initial({ space, dimension: shape.D, hidden: shape.h, seed: 2 });

const names = ['backbone.0', 'backbone.2', 'reward_head'].flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]);

function parametersOf(agent: NeuralUcb): number[][] {
  const { tensors } = agent.state();
  return names.map((name) => [...(tensors.get(name)!.data as Float32Array)]);
}

/** Features and predictions by the formula, one dot product at a time, in double precision. */
function naive([W1, b1, W2, b2, W3, b3]: readonly number[][], x: readonly number[]) {
  const layer = (W: number[], b: number[], input: readonly number[]) =>
    b.map((bias, o) => input.reduce((sum, value, i) => sum + W[o * input.length + i]! * value, bias));
  const relu = (values: number[]) => values.map((value) => Math.max(value, 0));
  const z = relu(layer(W2!, b2!, relu(layer(W1!, b1!, x))));
  return { z, p: layer(W3!, b3!, z).map((value) => 1 / (1 + Math.exp(-value))) };
}

function naiveLoss(parameters: readonly number[][], batch: readonly FullObservation[]): number {
  let sum = 0;
  for (const { context, rewards } of batch) {
    for (const [a, p] of naive(parameters, [...context]).p.entries()) sum += (p - rewards[a]!) ** 2;
  }
  return sum / (batch.length * shape.A);
}

test('the loss, the gradient and the Adam step are those of the mean over batch and actions', () => {
  const agent = fresh();
  const batch = batchOf(new Random(3), 7);
  const before = parametersOf(agent);
  const { loss, gradientNorm } = agent.updateFull(batch, learning);
  assert.ok(Math.abs(loss - naiveLoss(before, batch)) < 1e-7);
  const after = parametersOf(agent);
  const moments = agent.state().tensors;
  let squares = 0;
  for (const [k, values] of before.entries()) {
    const m = moments.get(`optimizer.exp_avg.${names[k]}`)!.data as Float32Array;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      values[i] = value + 1e-5;
      const up = naiveLoss(before, batch);
      values[i] = value - 1e-5;
      const slope = (up - naiveLoss(before, batch)) / 2e-5;
      values[i] = value;
      squares += slope * slope;
      assert.ok(Math.abs(10 * m[i]! - slope) < 1e-7, `${names[k]}[${i}]`); // m = 0.1 g after the first step
      const step = slope === 0 ? 0 : (-learning.lr * slope) / (Math.abs(slope) + 1e-8);
      if (Math.abs(slope) > 1e-5) assert.ok(Math.abs(after[k]![i]! - (value + step)) < 1e-4);
    }
  }
  assert.ok(Math.abs(gradientNorm - Math.sqrt(squares)) < 1e-7);
});

test('one covariance serves all actions: L is lambda I plus the sum of z z over the batch, and is stored once', () => {
  const agent = fresh();
  const batch = batchOf(new Random(4), 9);
  const L: number[][] = Array.from({ length: shape.h }, (_, i) =>
    Array.from({ length: shape.h }, (_, j) => (i === j ? 0.1 : 0)),
  );
  const parameters = parametersOf(agent);
  for (const { context } of batch) {
    const { z } = naive(parameters, [...context]);
    for (let i = 0; i < shape.h; i++) for (let j = 0; j < shape.h; j++) L[i]![j]! += z[i]! * z[j]!;
  }
  agent.updateFull(batch, learning);
  const state = agent.state();
  const { shape: stored, data } = state.tensors.get('inverse_lambdas')!;
  assert.deepEqual(stored, [1, shape.h, shape.h]);
  for (let i = 0; i < shape.h; i++) {
    for (let j = 0; j < shape.h; j++) {
      const product = L[i]!.reduce((sum, value, k) => sum + value * Number(data[k * shape.h + j]), 0);
      assert.ok(Math.abs(product - (i === j ? 1 : 0)) < 1e-4);
    }
  }
  assert.deepEqual(agent.actionCounts(), [9, 9, 9, 9]);
  const { uncertainties } = agent.predict([batch[0]!.context]);
  assert.equal(new Set(uncertainties[0]).size, 1);
  assert.deepEqual(NeuralUcb.restore(state).state(), state);
});

test('shared matrices are those that each action would have had alone, and part at the first lone observation', () => {
  const shared = fresh();
  const apart = fresh();
  const batch = batchOf(new Random(5), 6);
  shared.updateFull(batch, learning);
  const lone = batch.flatMap(({ context, rewards }) =>
    Array.from(rewards, (reward, actionIndex) => ({ context, reward, actionIndex })),
  );
  apart.update(lone, learning);
  const one = shared.state().tensors.get('inverse_lambdas')!.data as Float32Array;
  const many = apart.state().tensors.get('inverse_lambdas')!.data as Float32Array;
  for (let a = 0; a < shape.A; a++) assert.deepEqual(many.slice(a * one.length, (a + 1) * one.length), one);
  shared.update([lone[2]!], learning);
  const parted = shared.state().tensors.get('inverse_lambdas')!;
  assert.deepEqual(parted.shape, [shape.A, shape.h, shape.h]);
  assert.deepEqual((parted.data as Float32Array).slice(0, one.length), one);
  assert.notDeepEqual((parted.data as Float32Array).slice(2 * one.length, 3 * one.length), one);
  assert.deepEqual(NeuralUcb.restore(shared.state()).state(), shared.state());
});

test('a state without the accumulated sums is read, and goes on as the one with them', () => {
  const agent = fresh();
  const random = new Random(6);
  const observe = () => ({ ...batchOf(random, 1)[0]!, actionIndex: random.below(4), reward: random.uniform() });
  agent.update(Array.from({ length: 30 }, observe), learning);
  const state = agent.state();
  assert.deepEqual(state.tensors.get('lambdas')!.shape, [2, 4, 21]);
  const tensors = new Map([...state.tensors].filter(([name]) => name !== 'lambdas'));
  const old = NeuralUcb.restore({ ...state, tensors });
  const batch = Array.from({ length: 20 }, observe);
  assert.deepEqual(old.update(batch, learning), agent.update(batch, learning));
  assert.deepEqual(old.state().tensors.get('inverse_lambdas'), agent.state().tensors.get('inverse_lambdas'));
  assert.deepEqual(NeuralUcb.restore(old.state()).state(), old.state());
});
