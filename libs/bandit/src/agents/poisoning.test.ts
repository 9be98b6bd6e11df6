import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActionSpace } from '@a2sf/kv-compression';
import { Random } from '@a2sf/random';
import type { Agent, Observation } from '../agent.js';
import { agentType, restoreAgent } from '../registry.js';

const space = new ActionSpace([0, 10], [8, 16]);
const dimension = 6;
const learning = { lr: 1e-2, maxGradNorm: 1 };

const contextOf = (random: Random): Float32Array =>
  Float32Array.from({ length: dimension }, () => 2 * random.uniform() - 1);

/** 0.5 + 0.4 tanh(w_a . x): which action is best depends on the context. */
function rewardOf(context: Float32Array, action: number): number {
  const sum = context.reduce((total, x, i) => total + x * Math.sin(3 * action + 2 * i + 1), 0);
  return 0.5 + 0.4 * Math.tanh(sum);
}

const rewardsOf = (context: Float32Array): number[] =>
  Array.from({ length: space.size }, (_, action) => rewardOf(context, action));

/** A batch of tried actions; with probability `share` an adversary tells 0 for the best action and 1 for another. */
function batchOf(random: Random, share: number): Observation[] {
  return Array.from({ length: 32 }, () => {
    const context = contextOf(random);
    const actionIndex = random.below(space.size);
    const rewards = rewardsOf(context);
    const isBest = rewards[actionIndex] === Math.max(...rewards);
    const isPoisoned = random.uniform() < share;
    return { context, actionIndex, reward: isPoisoned ? (isBest ? 0 : 1) : rewards[actionIndex]! };
  });
}

function taught(name: string, share: number, updates = 150): Agent {
  const agent = agentType(name).initial({ space, dimension, hidden: 24, seed: 3 });
  const random = new Random(11);
  for (let n = 0; n < updates; n++) agent.update(batchOf(random, share), learning);
  return agent;
}

/** Mean of max_a r_a - r_chosen over 400 contexts that were not trained on. */
function meanRegret(agent: Agent): number {
  const random = new Random(99);
  const contexts = Array.from({ length: 400 }, () => contextOf(random));
  const lost = agent.select(contexts, 0).map(({ actionIndex }, n) => {
    const rewards = rewardsOf(contexts[n]!);
    return Math.max(...rewards) - rewards[actionIndex]!;
  });
  return lost.reduce((sum, each) => sum + each, 0) / lost.length;
}

/** Mean regret of a uniform draw. */
const chance = ((): number => {
  const random = new Random(99);
  const lost = Array.from({ length: 400 }, () => {
    const rewards = rewardsOf(contextOf(random));
    return Math.max(...rewards) - rewards.reduce((sum, each) => sum + each, 0) / rewards.length;
  });
  return lost.reduce((sum, each) => sum + each, 0) / lost.length;
})();

for (const name of ['neural-ucb', 'lin-ucb']) {
  test(`${name}: poisoned rewards cost at most twice their share of what chance costs, above the clean policy`, () => {
    const clean = meanRegret(taught(name, 0));
    assert.ok(clean < chance / 2, `${name} learns: ${clean} of ${chance}`);
    for (const share of [0.01, 0.05, 0.2]) {
      const poisoned = meanRegret(taught(name, share));
      assert.ok(poisoned <= clean + 2 * share * chance, `${share}: ${poisoned}, clean ${clean}, chance ${chance}`);
    }
  });
}

test('from the last clean state on, without the poison, the policy is the one that was never poisoned', () => {
  const random = new Random(7);
  const clean = taught('neural-ucb', 0, 10);
  const saved = clean.state();
  const poisoned = restoreAgent(saved);
  const poison = new Random(8);
  for (let n = 0; n < 5; n++) poisoned.update(batchOf(poison, 1), learning);
  assert.notDeepEqual(poisoned.state(), saved);
  const again = restoreAgent(saved);
  const later = Array.from({ length: 5 }, () => batchOf(random, 0));
  for (const batch of later) {
    clean.update(batch, learning);
    again.update(batch, learning);
  }
  assert.deepEqual(again.state(), clean.state());
});
