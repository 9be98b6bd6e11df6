import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { NeuralUcb, restoreAgent } from '@a2sf/bandit';
import { callUnary } from '@a2sf/grpc-runtime';
import { ActionSpace } from '@a2sf/kv-compression';
import { decodeContext, decodePolicyCheckpoint, readDecisions } from '@a2sf/run-store';
import { embeddingOf, exportedBytes, importBytes, metricOf, PolicyServers } from './policy-server.fixture.js';
import { testBytes, testContext, testDimension } from './policy.fixture.js';

const space = new ActionSpace([0, 10], [8, 16], [16, 64]);
const agent = NeuralUcb.initial({ space, dimension: testDimension, hidden: 12, seed: 3 });
for (let i = 0; i < 300; i++) {
  const rewards = Float32Array.from(
    space.actions(),
    ({ a, budget }) => (budget === 64 ? 0.85 : 0.45) + (a > 0 ? 0.1 : 0),
  );
  agent.updateFull([{ context: testContext(i % 40), rewards }], { lr: 3e-3, maxGradNorm: 1 });
}
const servers = new PolicyServers(testBytes({ state: agent.state() }));
const { checkpoint, folder } = servers;
const withCheckpoint = ['--checkpoint', checkpoint, '--bound_beta', '0.05'];
after(() => servers.stop());

test('the budgets travel: the file, the info, the answers and their candidates name them, and a metric counts them', async () => {
  const started = await servers.start(...withCheckpoint);
  const { client } = started;
  const info = await callUnary(client, 'getInfo', {});
  assert.deepEqual(
    [info.aValues, info.bValues, info.budgets],
    [
      [0, 10],
      [8, 16],
      [16, 64],
    ],
  );
  const answer = await callUnary(client, 'selectAction', { embedding: embeddingOf(1), explain: true });
  const named = answer.candidates.map(({ action }) => ({ a: action!.a, b: action!.b, budget: action!.budget! }));
  assert.deepEqual(named, space.actions());
  assert.deepEqual(named[answer.actionIndex]!.budget, answer.action!.budget);
  assert.equal(answer.action!.budget, 64);
  assert.equal(await metricOf(started, 'a2sf_policy_budgets_total{budget="64"}'), 1);
  assert.equal(await metricOf(started, 'a2sf_policy_budgets_total{budget="16"}'), 0);
  const empty = await callUnary(client, 'selectAction', { text: '' });
  assert.deepEqual([empty.useFullCache, empty.action!.budget], [true, 64]);
  const { state } = decodePolicyCheckpoint(await exportedBytes(client)).checkpoint;
  assert.ok(restoreAgent(state).space.equals(space));
});

test('with a floor the cheapest action that clears it is served, and the full cache is advised where none does', async () => {
  const budgetAt = async (floor: string) => {
    const { client } = await servers.start(...withCheckpoint, '--quality_floor', floor);
    const answer = await callUnary(client, 'selectAction', { embedding: embeddingOf(1) });
    return { budget: answer.action!.budget, full: answer.useFullCache, bound: answer.lowerBound!, answer };
  };
  const cheap = await budgetAt('0.3');
  assert.deepEqual([cheap.budget, cheap.full], [16, false]);
  assert.ok(cheap.bound >= 0.3);
  const dear = await budgetAt('0.7');
  assert.deepEqual([dear.budget, dear.full], [64, false]);
  const none = await budgetAt('1');
  assert.deepEqual([none.full, none.answer.fullCacheReason], [true, 'FULL_CACHE_REASON_BELOW_FLOOR']);
  assert.equal(none.answer.actionIndex, agent.select([testContext(1)], 0)[0]!.actionIndex);
});

test('a decision under a floor is logged with it, and made again bit for bit', async () => {
  const file = join(folder, 'floor.jsonl');
  const { client, server } = await servers.start(...withCheckpoint, '--quality_floor', '0.4', '--decision_log', file);
  for (let n = 0; n < 12; n++) {
    await callUnary(client, 'selectAction', { embedding: embeddingOf(n), explore: n % 3 === 0 });
  }
  await server.stop();
  const seen = new Set<number>();
  for await (const line of readDecisions(file)) {
    assert.ok(line.kind === 'decision');
    const [again] = agent.select([decodeContext(line)], line.beta, {
      draws: [line.draw],
      boundBeta: line.bound_beta,
      qualityFloor: line.quality_floor!,
    });
    assert.deepEqual([line.action_index, line.lower_bound], [again!.actionIndex, again!.lowerBound]);
    assert.equal(line.budget, space.at(line.action_index).budget);
    seen.add(line.budget!);
  }
  assert.ok(seen.has(16));
});

test('a checkpoint of other budgets is refused', async () => {
  const { client } = await servers.start(...withCheckpoint);
  for (const budgets of [[16, 128], [16], []]) {
    const other = NeuralUcb.initial({
      space: new ActionSpace([0, 10], [8, 16], budgets),
      dimension: testDimension,
      hidden: 12,
      seed: 3,
    });
    await assert.rejects(importBytes(client, testBytes({ state: other.state() })), {
      reason: 'other-action-space',
      message: /this server was started with a \[0, 10\] x b \[8, 16\] x budget \[16, 64\]/,
    });
  }
});
