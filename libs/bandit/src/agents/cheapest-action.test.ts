import assert from 'node:assert/strict';
import test from 'node:test';
import { ActionSpace } from '@a2sf/kv-compression';
import { Random } from '@a2sf/random';
import fc from 'fast-check';
import { agentNames, agentType } from '../registry.js';
import { cheapestAction } from './cheapest-action.js';
import { bonus } from './selection-rule.js';

/** Coarse numbers, so that bounds tie and meet the floor exactly. */
const share = fc.integer({ min: 0, max: 10 }).map((x) => x / 10);

const cases = fc
  .record({ a: fc.integer({ min: 1, max: 3 }), b: fc.integer({ min: 1, max: 3 }), k: fc.integer({ min: 0, max: 4 }) })
  .chain(({ a, b, k }) => {
    const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
    const space = new ActionSpace(
      upTo(a),
      upTo(b),
      upTo(k).map((x) => 16 * x),
    );
    const row = fc.array(share, { minLength: space.size, maxLength: space.size });
    return fc.record({
      space: fc.constant(space),
      predictions: row,
      uncertainties: row,
      boundBeta: fc.constantFrom(0, 0.3, 1),
      floor: share,
    });
  });

test('the cheapest action that clears the floor is that of a search through all of them', () => {
  fc.assert(
    fc.property(cases, ({ space, predictions, uncertainties, boundBeta, floor }) => {
      const bounds = predictions.map((p, a) => p - boundBeta * bonus(uncertainties[a]!));
      const clearing = bounds.flatMap((bound, a) => {
        const { budget } = space.at(a);
        return bound >= floor && budget !== undefined ? [{ a, bound, budget }] : [];
      });
      const [first] = clearing.sort((x, y) => x.budget - y.budget || y.bound - x.bound || x.a - y.a);
      const asked = new Set<number>();
      const found = cheapestAction({
        space,
        predictions: Float64Array.from(predictions),
        uncertainty: (action) => uncertainties[(asked.add(action), action)]!,
        boundBeta,
        floor,
      });
      assert.equal(found, first?.a);
      assert.ok([...asked].every((action) => predictions[action]! >= floor));
    }),
    { numRuns: 2000 },
  );
});

const space = new ActionSpace([0, 10], [16], [16, 64]);
const context = new Float32Array([1, 0.5, -1]);
const others = [new Float32Array([0, 1, 1]), new Float32Array([1, -1, 0])];

function taught(name: string) {
  const agent = agentType(name).initial({ space, dimension: 3, hidden: 8, seed: 3 });
  const random = new Random(5);
  const rewards = Float32Array.of(0.4, 0.9, 0.5, 0.95);
  for (let i = 0; i < 400; i++) {
    const contexts = i % 4 === 0 ? others : [context];
    const batch = contexts.map((each) => ({ context: each, rewards: rewards.map((r) => r - 0.02 * random.uniform()) }));
    agent.updateFull(batch, { lr: 1e-2, maxGradNorm: 1 });
  }
  return agent;
}

test('with a floor an agent takes the cheapest action that clears it, and its best one where none does', () => {
  for (const name of ['neural-ucb', 'lin-ucb', 'task-table', 'epsilon-greedy', 'neural-thompson']) {
    const agent = taught(name);
    const taken = (qualityFloor?: number, beta = 0) =>
      agent.select([context], beta, { boundBeta: 0.1, ...(qualityFloor === undefined ? {} : { qualityFloor }) })[0]!;
    const best = taken();
    assert.equal(space.at(best.actionIndex).budget, 64, name);
    const cheap = taken(0.2);
    assert.equal(space.at(cheap.actionIndex).budget, 16, name);
    assert.ok(cheap.lowerBound! >= 0.2);
    assert.equal(cheap.propensity, 1);
    assert.equal(space.at(taken(0.6).actionIndex).budget, 64, name);
    assert.deepEqual(taken(1), best, name);
    const [outlook] = agent.outlook([context], 0, { boundBeta: 0.1, qualityFloor: 0.2 });
    assert.equal(outlook!.probabilities[cheap.actionIndex], 1);
  }
});

test('a floor changes nothing for exploration, for agents that choose blindly and in a space without budgets', () => {
  const agent = taught('neural-ucb');
  assert.deepEqual(agent.select([context], 1, { qualityFloor: 0.2 }), agent.select([context], 1));
  for (const name of ['fixed', 'random']) {
    const blind = taught(name);
    assert.deepEqual(blind.select([context], 0, { qualityFloor: 0 }), blind.select([context], 0), name);
  }
  for (const name of agentNames()) {
    const plain = agentType(name).initial({
      space: new ActionSpace([0, 10], [8, 16]),
      dimension: 3,
      hidden: 8,
      seed: 3,
    });
    assert.deepEqual(plain.select([context], 0, { qualityFloor: 0 }), plain.select([context], 0), name);
  }
  assert.throws(() => agent.select([context], 0, { qualityFloor: NaN }), { field: 'quality_floor' });
});
