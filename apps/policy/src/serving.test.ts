import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { agentType, NeuralUcb, restoreAgent } from '@a2sf/bandit';
import { callUnary } from '@a2sf/grpc-runtime';
import { decodePolicyCheckpoint } from '@a2sf/run-store';
import {
  embeddingOf,
  experienceOf,
  exportedBytes,
  importBytes,
  metricOf,
  PolicyServers,
} from './policy-server.fixture.js';
import { testBytes, testCheckpoint, testContext, testDimension, testSpace } from './policy.fixture.js';

const servers = new PolicyServers();
const { checkpoint } = servers;
const agent = NeuralUcb.restore(testCheckpoint().state);
after(() => servers.stop());

const uniform = testSpace.size;

test('epsilon mixes in uniform draws, tells the propensity, and is read only with explore', async () => {
  const { client } = await servers.start('--checkpoint', checkpoint, '--epsilon', '0.4');
  const requests = Array.from({ length: 60 }, () => ({ embedding: embeddingOf(1), explore: true, epsilon: 1 }));
  const { responses: drawn } = await callUnary(client, 'selectActions', { requests });
  assert.deepEqual(new Set(drawn.map(({ propensity }) => propensity)), new Set([1 / uniform]));
  assert.equal(new Set(drawn.map(({ actionIndex }) => actionIndex)).size, uniform);
  const [best] = agent.select([testContext(1)], 0.5);
  const defaulted = await callUnary(client, 'selectAction', { embedding: embeddingOf(1), explore: true });
  const isBest = defaulted.actionIndex === best!.actionIndex;
  assert.ok(Math.abs(defaulted.propensity! - (0.4 / uniform + (isBest ? 0.6 : 0))) < 1e-12);
  const still = { embedding: embeddingOf(1), epsilon: 1 };
  for (let i = 0; i < 5; i++) {
    const { actionIndex, propensity } = await callUnary(client, 'selectAction', still);
    assert.deepEqual([actionIndex, propensity], [agent.select([testContext(1)], 0)[0]!.actionIndex, 1]);
  }
});

test('requests of different epsilon, explanation and emptiness in one batch are answered in their places', async () => {
  const { client } = await servers.start('--checkpoint', checkpoint);
  const requests = [
    { embedding: embeddingOf(1) },
    { embedding: embeddingOf(2), explore: true, epsilon: 1 },
    { text: '' },
    { embedding: embeddingOf(3), explain: true },
    { embedding: embeddingOf(4), explore: true },
    { embedding: embeddingOf(1), withLowerBound: true },
  ];
  const { responses } = await callUnary(client, 'selectActions', { requests });
  const hashes = await Promise.all(
    [1, 2, 3, 4].map(async (seed) => {
      const { contextHash } = await callUnary(client, 'selectAction', { embedding: embeddingOf(seed) });
      return contextHash;
    }),
  );
  assert.deepEqual(
    responses.map(({ contextHash }) => contextHash),
    [hashes[0], hashes[1], '', hashes[2], hashes[3], hashes[0]],
  );
  assert.deepEqual(
    responses.map(({ propensity }) => propensity),
    [1, 1 / uniform, undefined, 1, 1, 1],
  );
  assert.deepEqual(
    responses.map(({ lowerBound }) => lowerBound !== undefined),
    [false, true, false, true, true, true],
  );
  const [plain, , , , , bounded] = responses;
  assert.equal(bounded!.actionIndex, plain!.actionIndex);
  assert.equal(bounded!.lowerBound, bounded!.predictedReward - Math.sqrt(bounded!.uncertainty + 1e-6));
  assert.equal(responses[2]!.fullCacheReason, 'FULL_CACHE_REASON_EMPTY_CONTEXT');
});

test('an explanation tells of every action what the policy thinks, and of the chosen one the same as the answer', async () => {
  const { client } = await servers.start('--checkpoint', checkpoint, '--bound_beta', '2');
  const { predictions, uncertainties } = agent.predict([testContext(7)]);
  const answer = await callUnary(client, 'selectAction', { embedding: embeddingOf(7), explain: true });
  assert.equal(answer.candidates.length, uniform);
  for (const [i, { action, predictedReward, uncertainty, lowerBound }] of answer.candidates.entries()) {
    assert.deepEqual({ ...action }, testSpace.at(i));
    assert.equal(Math.fround(predictedReward), predictions[0]![i]);
    assert.equal(Math.fround(uncertainty), uncertainties[0]![i]);
    assert.equal(lowerBound, predictedReward - 2 * Math.sqrt(uncertainty + 1e-6));
  }
  const { predictedReward, uncertainty, lowerBound, actionIndex } = answer;
  const own = answer.candidates[actionIndex]!;
  assert.deepEqual(
    { predictedReward, uncertainty, lowerBound },
    {
      predictedReward: own.predictedReward,
      uncertainty: own.uncertainty,
      lowerBound: own.lowerBound,
    },
  );
});

test('every algorithm explains itself', async () => {
  for (const name of ['neural-thompson', 'lin-ucb', 'epsilon-greedy', 'fixed', 'random', 'task-table']) {
    const made = agentType(name).initial({ space: testSpace, dimension: testDimension, hidden: 12, seed: 3 });
    const bytes = testBytes({ state: made.state() });
    const { client } = await servers.start();
    await importBytes(client, bytes);
    const answer = await callUnary(client, 'selectAction', { embedding: embeddingOf(1), explain: true, key: 'qa' });
    const own = answer.candidates[answer.actionIndex]!;
    assert.deepEqual([own.predictedReward, own.uncertainty], [answer.predictedReward, answer.uncertainty], name);
    assert.equal(own.lowerBound, answer.lowerBound, name);
  }
});

test('a bound below the floor advises the full cache and says why; one at the floor does not', async () => {
  const plain = await servers.start('--checkpoint', checkpoint);
  const { lowerBound } = await callUnary(plain.client, 'selectAction', { embedding: embeddingOf(1), explain: true });
  const bound = Math.max(lowerBound!, 0);
  const boundBeta = bound > 0 ? '1' : '0.01';
  const probe = await servers.start('--checkpoint', checkpoint, '--bound_beta', boundBeta);
  const at = (await callUnary(probe.client, 'selectAction', { embedding: embeddingOf(1), explain: true })).lowerBound!;
  assert.ok(at > 0 && at < 1);
  for (const [floor, isBelow] of [
    [at, false],
    [at + 1e-9, true],
  ] as const) {
    const started = await servers.start(
      '--checkpoint',
      checkpoint,
      '--bound_beta',
      boundBeta,
      '--quality_floor',
      String(floor),
    );
    const answer = await callUnary(started.client, 'selectAction', { embedding: embeddingOf(1) });
    assert.equal(answer.lowerBound, at);
    assert.equal(answer.useFullCache, isBelow);
    assert.equal(answer.fullCacheReason, `FULL_CACHE_REASON_${isBelow ? 'BELOW_FLOOR' : 'UNSPECIFIED'}`);
    assert.equal((await callUnary(started.client, 'getInfo', {})).qualityFloor, floor);
    const series = 'a2sf_policy_full_cache_total{reason="below_floor"}';
    assert.equal(await metricOf(started, series), isBelow ? 1 : 0);
  }
  assert.equal((await callUnary(plain.client, 'getInfo', {})).qualityFloor, undefined);
});

test('the rewards of all actions are learned as the agent learns them, and the groups of contexts are told apart', async () => {
  const rewards = [0, 0.25, 1, 0.5];
  const keyed = [1, 2, 3].map((seed) => experienceOf(`x${seed}`, seed, { rewards, key: `group ${seed % 2}` }));
  for (const name of ['neural-ucb', 'task-table']) {
    const made = agentType(name).initial({ space: testSpace, dimension: testDimension, hidden: 12, seed: 3 });
    const bytes = testBytes({ state: made.state() });
    const { client } = await servers.start();
    await importBytes(client, bytes);
    await callUnary(client, 'update', { updateId: 'u', experiences: keyed });
    const expected = restoreAgent(made.state());
    const observations = [1, 2, 3].map((seed) => ({
      context: testContext(seed),
      rewards: Float32Array.from(rewards),
      key: `group ${seed % 2}`,
    }));
    expected.updateFull(observations, { lr: 1e-3, maxGradNorm: 1 });
    const { state } = decodePolicyCheckpoint(await exportedBytes(client)).checkpoint;
    assert.deepEqual(state, expected.state(), name);
  }
});

test('an update of both kinds is refused whole', async () => {
  const started = await servers.start('--checkpoint', checkpoint);
  const experiences = [experienceOf('x', 1), experienceOf('y', 2, { rewards: [0, 1, 0, 1] })];
  for (const list of [experiences, experiences.toReversed()]) {
    await assert.rejects(callUnary(started.client, 'update', { updateId: 'u', experiences: list }), {
      code: 'INVALID_ARGUMENT',
      field: 'experiences[1].rewards',
    });
  }
  assert.equal((await callUnary(started.client, 'getInfo', {})).policyVersion, '1');
  assert.equal(await metricOf(started, 'a2sf_policy_rewards_rejected_total'), 4);
});

test('rewards are held against the bounds of before the step, and those below are counted', async () => {
  const started = await servers.start('--checkpoint', checkpoint, '--bound_beta', '0');
  const [known] = agent.predict([testContext(1)]).predictions;
  const on = (actionIndex: number, reward: number, id: string) => experienceOf(id, 1, { actionIndex, reward });
  const experiences = [
    on(0, known![0]! - 0.01, 'below'),
    on(1, known![1]! + 0.01, 'above'),
    on(2, known![2]! - 0.01, 'below too'),
  ];
  await callUnary(started.client, 'update', { updateId: 'u', experiences });
  await callUnary(started.client, 'update', { updateId: 'u', experiences }); // answered as before, nothing is checked
  assert.equal(await metricOf(started, 'a2sf_policy_bound_checked_total'), 3);
  assert.equal(await metricOf(started, 'a2sf_policy_bound_violations_total'), 2);
  const far = [experienceOf('z', 1, { rewards: [0, 0, 0, 0] })];
  await callUnary(started.client, 'update', { updateId: 'v', experiences: far });
  assert.equal(await metricOf(started, 'a2sf_policy_bound_violations_total'), 3);
});
