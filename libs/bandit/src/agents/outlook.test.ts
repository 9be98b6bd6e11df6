import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActionSpace } from '@a2sf/kv-compression';
import { Random } from '@a2sf/random';
import { agentNames, agentType } from '../registry.js';

const space = new ActionSpace([0, 10], [1, 16]);
const contextOf = (random: Random) => Float32Array.from({ length: 6 }, () => 2 * random.uniform() - 1);

for (const name of agentNames()) {
  test(`${name}: the outlook is a distribution that tells each choice its propensity and prediction`, () => {
    const random = new Random(4);
    const agent = agentType(name).initial({ space, dimension: 6, hidden: 8, seed: 2 });
    const batch = Array.from({ length: 40 }, () => {
      const actionIndex = random.below(4);
      return { context: contextOf(random), actionIndex, reward: random.uniform(), key: 'qasper' };
    });
    agent.update(batch, { lr: 1e-2, maxGradNorm: 1 });
    const contexts = Array.from({ length: 5 }, () => contextOf(random));
    const keys = contexts.map(() => 'qasper');
    for (const [beta, epsilon] of [
      [0, 0],
      [0.3, 0],
      [0, 0.4],
      [0.3, 0.4],
    ] as const) {
      const outlooks = agent.outlook(contexts, beta, { keys, epsilon });
      for (let draw = 0; draw < 12; draw++) {
        const choices = agent.select(contexts, beta, { keys, epsilon, draws: contexts.map(() => draw) });
        for (const [n, { actionIndex, propensity, prediction }] of choices.entries()) {
          const { probabilities, predictions } = outlooks[n]!;
          assert.equal(probabilities[actionIndex], propensity);
          assert.equal(predictions[actionIndex], prediction);
        }
      }
      for (const { probabilities } of outlooks) {
        assert.ok(Math.abs(probabilities.reduce((sum, p) => sum + p) - 1) < 1e-5, probabilities.join());
      }
    }
  });
  test(`${name}: an evaluation tells of each action what the choice of it tells`, () => {
    const random = new Random(5);
    const agent = agentType(name).initial({ space, dimension: 6, hidden: 8, seed: 3 });
    const batch = Array.from({ length: 40 }, () => {
      const actionIndex = random.below(4);
      return { context: contextOf(random), actionIndex, reward: random.uniform(), key: 'qasper' };
    });
    agent.update(batch, { lr: 1e-2, maxGradNorm: 1 });
    const contexts = Array.from({ length: 3 }, () => contextOf(random));
    const keys = ['qasper', undefined, 'other'];
    const evaluation = agent.evaluate(contexts, keys);
    assert.equal(evaluation.predictions.length, 12);
    const seen = new Set<string>();
    for (let draw = 0; draw < 60; draw++) {
      const choices = agent.select(contexts, 0, { keys, epsilon: 1, draws: contexts.map(() => draw) });
      for (const [n, choice] of choices.entries()) {
        assert.equal(evaluation.predictions[n * 4 + choice.actionIndex], choice.prediction);
        assert.equal(evaluation.uncertainty(n, choice.actionIndex), choice.uncertainty);
        seen.add(`${n} ${choice.actionIndex}`);
      }
    }
    assert.equal(seen.size, 12);
    assert.throws(() => agent.evaluate([new Float32Array(5)]), { code: 'FAILED_PRECONDITION' });
    assert.throws(() => agent.evaluate(contexts, ['qasper']), { code: 'INVALID_ARGUMENT' });
  });
}
