import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActionSpace } from '@a2sf/kv-compression';
import { Random } from '@a2sf/random';
import { agentNames, agentType } from '../registry.js';
import type { Agent, FullObservation, LearningOptions, Observation, UpdateReport } from '../agent.js';
import { NeuralUcb } from './neural-ucb.js';

const space = new ActionSpace([0, 10], [1, 16]);
const learning = { lr: 1e-2, maxGradNorm: 0.5 };
const fresh = (): NeuralUcb => NeuralUcb.initial({ space, dimension: 5, hidden: 6, seed: 2 });

const random = new Random(7);
const batch = Array.from({ length: 9 }, (_, n): Observation & FullObservation => ({
  context: Float32Array.from({ length: 5 }, () => 2 * random.uniform() - 1),
  actionIndex: n % space.size,
  reward: random.uniform(),
  rewards: Float32Array.from({ length: space.size }, () => random.uniform()),
}));

type Update = (agent: Agent, options: LearningOptions) => UpdateReport;
const updates: Readonly<Record<string, Update>> = {
  update: (agent, options) => agent.update(batch, options),
  updateFull: (agent, options) => agent.updateFull(batch, options),
};

const ofCovariances = /^(lambdas|inverse_lambdas|action_counts)$/;

for (const [name, update] of Object.entries(updates)) {
  test(`${name}: three steps are the network's of three updates, and the covariances and the report of the first`, () => {
    const [once, thrice, three] = [fresh(), fresh(), fresh()];
    const report = update(once, learning);
    for (let k = 0; k < 3; k++) update(thrice, learning);
    assert.deepEqual(update(three, { ...learning, stepsPerUpdate: 3 }), report);
    assert.equal(three.state().optimizerStep, 3);
    for (const [tensor, { data }] of three.state().tensors) {
      const same = (ofCovariances.test(tensor) ? once : thrice).state().tensors.get(tensor)!;
      assert.deepEqual(data, same.data, tensor);
    }
    const again = NeuralUcb.restore(three.state());
    assert.deepEqual(
      update(again, { ...learning, stepsPerUpdate: 2 }),
      update(three, { ...learning, stepsPerUpdate: 2 }),
    );
    assert.deepEqual(again.state(), three.state());
  });
}

test('a number of steps that is none is refused by every algorithm', () => {
  for (const name of agentNames()) {
    const agent = agentType(name).initial({ space, dimension: 5, hidden: 6, seed: 2 });
    const before = agent.state();
    for (const stepsPerUpdate of [0, -1, 1.5, NaN, 1001]) {
      const refusal = { code: 'INVALID_ARGUMENT', field: 'steps_per_update' };
      for (const update of Object.values(updates)) {
        assert.throws(() => update(agent, { ...learning, stepsPerUpdate }), refusal, `${name} ${stepsPerUpdate}`);
      }
    }
    assert.deepEqual(agent.state(), before);
  }
});
