import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActionSpace } from '@a2sf/kv-compression';
import { Random } from '@a2sf/random';
import type { Agent } from '../agent.js';
import type { PolicyState } from '../policy-state.js';
import { agentType } from '../registry.js';

const space = new ActionSpace([0, 10], [8, 16]);

function learn(agent: Agent, seed: number): void {
  const random = new Random(seed);
  const batch = Array.from({ length: 5 }, () => ({
    context: Float32Array.from({ length: 6 }, () => 2 * random.uniform() - 1),
    actionIndex: random.below(4),
    reward: random.uniform(),
  }));
  agent.update(batch, { lr: 1e-3, maxGradNorm: 1 });
}

/** The tensors, read in parts of seven elements where they come in parts. */
function readOut({ tensors }: PolicyState): [string, unknown][] {
  return [...tensors].map(([name, { shape, data, part }]) => {
    if (part === undefined) return [name, { shape, data }];
    const all = new Float32Array(data.length);
    for (let at = 0; at < all.length; at += 7) all.set(part(at, Math.min(7, all.length - at)), at);
    return [name, { shape, data: all }];
  });
}

test('a view is the state of when it was taken until it is released, whatever the agent learns meanwhile', () => {
  for (const name of ['neural-ucb', 'lin-ucb', 'neural-thompson', 'task-table']) {
    const agent = agentType(name).initial({ space, dimension: 6, hidden: 9, seed: 1 });
    for (let n = 0; n < 4; n++) {
      const [before, view] = [agent.state(), agent.view()];
      learn(agent, n);
      const between = agent.view();
      const expected = agent.state();
      learn(agent, 100 + n);
      assert.deepEqual(readOut(view), [...before.tensors], `${name} ${n}`);
      assert.deepEqual(readOut(between), [...expected.tensors], `${name} ${n}`);
      view.release();
      between.release();
    }
  }
});
