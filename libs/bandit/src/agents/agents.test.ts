import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActionSpace } from '@a2sf/kv-compression';
import { Random } from '@a2sf/random';
import type { Agent, Choice, FullObservation, Observation } from '../agent.js';
import { agentNames, agentType, restoreAgent } from '../registry.js';

const space = new ActionSpace([0, 10], [1, 16, 64]);
const learning = { lr: 1e-2, maxGradNorm: 1 };
const dimension = 8;
const keys = ['qasper', 'hotpotqa', undefined];

function fresh(name: string, change: object = {}): Agent {
  return agentType(name).initial({ space, dimension, hidden: 12, seed: 3, ...change });
}

function contextOf(random: Random): Float32Array {
  return Float32Array.from({ length: dimension }, () => 2 * random.uniform() - 1);
}

function observations(random: Random, count: number): Observation[] {
  return Array.from({ length: count }, () => {
    const key = keys[random.below(3)];
    return {
      context: contextOf(random),
      actionIndex: random.below(space.size),
      reward: random.uniform(),
      ...(key === undefined ? {} : { key }),
    };
  });
}

function sweeps(random: Random, count: number): FullObservation[] {
  return Array.from({ length: count }, () => ({
    context: contextOf(random),
    rewards: Float32Array.from({ length: space.size }, () => random.uniform()),
    key: 'qasper',
  }));
}

function taught(name: string, change: object = {}): Agent {
  const agent = fresh(name, change);
  agent.update(observations(new Random(1), 30), learning);
  return agent;
}

for (const name of agentNames()) {
  test(`${name}: restored between updates it goes on bit by bit, choices with their draws too`, () => {
    const random = new Random(7);
    const whole = fresh(name);
    let stopped = fresh(name);
    for (let n = 0; n < 4; n++) {
      const batch = observations(random, 40);
      const full = sweeps(random, 3);
      assert.deepEqual(stopped.update(batch, learning), whole.update(batch, learning));
      stopped = restoreAgent(stopped.state());
      assert.deepEqual(stopped.updateFull(full, learning), whole.updateFull(full, learning));
      stopped = restoreAgent(stopped.state());
      assert.deepEqual(stopped.state(), whole.state());
      const contexts = batch.map(({ context }) => context);
      const options = { epsilon: 0.2, keys: batch.map(({ key }) => key), draws: batch.map((_, i) => i) };
      assert.deepEqual(stopped.select(contexts, 1, options), whole.select(contexts, 1, options));
      const reader = restoreAgent(whole.state(), { learns: false });
      assert.deepEqual(reader.select(contexts, 1, options), whole.select(contexts, 1, options));
    }
    assert.equal(
      whole.actionCounts().reduce((x, y) => x + y),
      4 * (40 + 3 * space.size),
    );
  });

  test(`${name}: choosing changes nothing and does not depend on the batch around it`, () => {
    const agent = taught(name);
    const before = agent.state();
    const contexts = Array.from({ length: 5 }, (_, n) => contextOf(new Random(n)));
    const options = { epsilon: 0.5, draws: [1, 2, 3, 4, 5] };
    const together = agent.select(contexts, 1, options);
    for (const [n, context] of contexts.entries()) {
      assert.deepEqual(agent.select([context], 1, { ...options, draws: [n + 1] }), [together[n]]);
    }
    assert.deepEqual(agent.state(), before);
  });

  for (const epsilon of [0, 0.3]) {
    test(`${name}: propensities with epsilon ${epsilon} are the frequencies of the choices`, () => {
      const agent = taught(name);
      const context = contextOf(new Random(99));
      const times = 4000;
      const draws = Array.from({ length: times }, (_, n) => n);
      const contexts = draws.map(() => context);
      const seen = new Map<number, { count: number; choice: Choice }>();
      for (const choice of agent.select(contexts, 1, { epsilon, draws })) {
        const { count } = seen.get(choice.actionIndex) ?? { count: 0 };
        seen.set(choice.actionIndex, { count: count + 1, choice });
      }
      for (const { count, choice } of seen.values()) {
        const { propensity } = choice;
        assert.ok(propensity > 0 && propensity <= 1);
        assert.ok(Math.abs(count / times - propensity) < 0.04, `${count / times} ${propensity}`); // 5 sd
      }
      if (epsilon > 0) assert.equal(seen.size, space.size);
    });
  }

  test(`${name}: the lower bound is the prediction less the weighted width, and absent where nothing was read`, () => {
    const agent = taught(name);
    const contexts = [contextOf(new Random(5))];
    const [choice] = agent.select(contexts, 0, { boundBeta: 2 });
    assert.ok(choice!.uncertainty > 0);
    assert.equal(choice!.lowerBound, choice!.prediction - 2 * Math.sqrt(choice!.uncertainty + 1e-6));
    const [unread] = agent.select(contexts, 0, { uncertainty: false });
    assert.equal('lowerBound' in unread!, false);
    if (name !== 'random') assert.equal(unread!.actionIndex, choice!.actionIndex);
    const [bounded] = agent.select(contexts, 1, { uncertainty: false });
    if (name.endsWith('ucb')) assert.ok(bounded!.lowerBound !== undefined); // read for the choice anyhow
  });

  test(`${name}: bad options, keys and rewards are refused and change nothing`, () => {
    const agent = taught(name);
    const before = agent.state();
    const contexts = [contextOf(new Random(5))];
    const [sweep] = sweeps(new Random(2), 1);
    const refused = (field: string, work: () => unknown) => assert.throws(work, { code: 'INVALID_ARGUMENT', field });
    refused('epsilon', () => agent.select(contexts, 1, { epsilon: 1.1 }));
    refused('keys', () => agent.select(contexts, 1, { keys: [] }));
    refused('keys[0]', () => agent.select(contexts, 1, { keys: [''] }));
    refused('draws[0]', () => agent.select(contexts, 1, { draws: [0.5] }));
    refused('bound_beta', () => agent.select(contexts, 1, { boundBeta: NaN }));
    refused('batch[0].key', () => agent.updateFull([{ ...sweep!, key: 'x'.repeat(129) }], learning));
    refused('batch[0].rewards', () => agent.updateFull([{ ...sweep!, rewards: new Float32Array(5) }], learning));
    const rewards = new Float32Array(6).fill(NaN, 4, 5);
    refused('batch[0].rewards[4]', () => agent.updateFull([{ ...sweep!, rewards }], learning));
    assert.deepEqual(agent.state(), before);
  });
}

for (const name of agentNames()) {
  test(`${name}: rewards that are all 0, all 1, or 0 for one action for ever leave every number finite`, () => {
    const random = new Random(6);
    for (const rewardOf of [() => 0, () => 1, (action: number) => (action === 2 ? 0 : 1)]) {
      const agent = fresh(name);
      for (let n = 0; n < 40; n++) {
        const batch = observations(random, 8).map((seen) => ({ ...seen, reward: rewardOf(seen.actionIndex) }));
        const { loss, gradientNorm } = agent.update(batch, learning);
        assert.ok(Number.isFinite(loss) && Number.isFinite(gradientNorm));
      }
      for (const [tensor, { data }] of agent.state().tensors) {
        for (const value of data) assert.ok(Number.isFinite(Number(value)), tensor);
      }
      for (const { prediction, uncertainty, ucb } of agent.select(
        [contextOf(random), new Float32Array(dimension)],
        1,
      )) {
        assert.ok(prediction >= 0 && prediction <= 1 && uncertainty >= 0 && Number.isFinite(ucb));
      }
    }
  });
}

test('an agent that was restored to choose only refuses to learn', () => {
  for (const name of ['neural-ucb', 'neural-thompson', 'epsilon-greedy', 'lin-ucb']) {
    const reader = restoreAgent(taught(name).state(), { learns: false });
    const refusal = { code: 'FAILED_PRECONDITION', reason: 'read-only-agent' };
    assert.throws(() => reader.update(observations(new Random(1), 1), learning), refusal);
    assert.throws(() => reader.updateFull(sweeps(new Random(1), 1), learning), refusal);
    assert.throws(() => reader.state(), refusal);
  }
});

test('the table tells groups apart and takes all observations together for a group it does not know', () => {
  const agent = fresh('task-table', { lambda: 0.5 });
  const context = new Float32Array(dimension);
  const seen = (key: string, actionIndex: number, reward: number): Observation => ({
    context,
    key,
    actionIndex,
    reward,
  });
  agent.update([seen('x', 1, 1), seen('y', 2, 1), seen('y', 2, 1), seen('y', 1, 0)], learning);
  const choices = agent.select([context, context, context], 0, { keys: ['x', 'y', 'z'] });
  assert.deepEqual(
    choices.map(({ actionIndex }) => actionIndex),
    [1, 2, 2],
  );
  assert.deepEqual(
    choices.map(({ prediction }) => prediction),
    [1 / 1.5, 2 / 2.5, 2 / 2.5],
  );
  assert.deepEqual(choices[0]!.uncertainty, 1 / 1.5);
  const crowd = Array.from({ length: 1025 }, (_, n) => seen(`k${n}`, 0, 1));
  assert.throws(() => agent.update(crowd, learning), { code: 'INVALID_ARGUMENT', field: 'batch[1022].key' });
});

test('the fixed agent answers the action it was made with, by default (10, 16)', () => {
  const contexts = [new Float32Array(dimension)];
  assert.equal(fresh('fixed').select(contexts, 1)[0]!.actionIndex, 4);
  assert.equal(fresh('fixed', { action: 2 }).select(contexts, 1)[0]!.actionIndex, 2);
  assert.throws(() => fresh('fixed', { action: 6 }), { code: 'INVALID_ARGUMENT', field: 'action' });
});

test('lin-ucb is ridge regression: it finds the weights of a linear reward', () => {
  const agent = fresh('lin-ucb', { lambda: 1e-3 });
  const random = new Random(4);
  const truth = (x: Float32Array, a: number) => 0.5 + 0.05 * (x[a]! - x[7]!) - 0.5 + 0.5 * x[0]!;
  const positive = (): Float32Array => contextOf(random).map((v, i) => (i === 0 ? 0.5 + Math.abs(v) / 2 : v));
  for (let n = 0; n < 30; n++) {
    const batch = Array.from({ length: 20 }, (_, i) => {
      const context = positive();
      return { context, actionIndex: i % space.size, reward: truth(context, i % space.size) };
    });
    agent.update(batch, learning);
  }
  for (let n = 0; n < 20; n++) {
    const context = positive();
    const [{ actionIndex, prediction }] = agent.select([context], 0) as [Choice];
    assert.ok(Math.abs(prediction - truth(context, actionIndex)) < 1e-3);
  }
});
