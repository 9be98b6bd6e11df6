import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { NeuralUcb } from '@a2sf/bandit';
import { callServerStream, callUnary } from '@a2sf/grpc-runtime';
import { ActionSpace } from '@a2sf/kv-compression';
import { decodePolicyCheckpoint, readDecisions, type DecisionLine } from '@a2sf/run-store';
import { ChallengerFile } from './challenger-file.js';
import { DurableLearner } from './durable-learner.js';
import { Learner } from './learner.js';
import {
  embeddingOf,
  experienceOf,
  exportedBytes,
  importBytes,
  metricOf,
  PolicyServers,
} from './policy-server.fixture.js';
import { testBytes, testContext, testDimension, testEncoderId, testSpace } from './policy.fixture.js';

const servers = new PolicyServers();
const { checkpoint, folder } = servers;
after(() => servers.stop());

const newState = (): string => mkdtempSync(join(folder, 'state-'));
const otherAgent = NeuralUcb.initial({ space: testSpace, dimension: testDimension, hidden: 9, seed: 77 });
const otherBytes = testBytes({ state: otherAgent.state(), policyVersion: 7, iteration: 70 });
const learned = { updateId: 'u', experiences: [experienceOf('x', 1)] };

test('a challenger is scored on its share and changes no answer; promoted, it serves and learns under a new version', async () => {
  for (const state of [[], ['--state_dir', newState()]]) {
    const started = await servers.start('--checkpoint', checkpoint, '--shadow_share', '1', ...state);
    const { client } = started;
    const before = await callUnary(client, 'selectAction', { embedding: embeddingOf(1) });
    const policy = await exportedBytes(client);
    await assert.rejects(callUnary(client, 'promoteChallenger', {}), { reason: 'no-challenger' });
    assert.deepEqual(await importBytes(client, otherBytes, true), { policyVersion: '1', iteration: 70 });
    assert.equal((await callUnary(client, 'getInfo', {})).challengerVersion, '7');
    assert.equal(await metricOf(started, 'a2sf_policy_challenger_version'), 7);
    assert.deepEqual(await callUnary(client, 'selectAction', { embedding: embeddingOf(1) }), before);
    assert.deepEqual(await exportedBytes(client), policy);
    const asked = ['yes', 'no'].map((same) => metricOf(started, `a2sf_policy_shadow_decisions_total{same="${same}"}`));
    assert.equal(
      (await Promise.all(asked)).reduce((sum, count) => sum + count),
      1,
    );
    assert.deepEqual(await callUnary(client, 'promoteChallenger', {}), { policyVersion: '7' });
    assert.deepEqual(
      decodePolicyCheckpoint(await exportedBytes(client)).checkpoint,
      decodePolicyCheckpoint(otherBytes).checkpoint,
    );
    assert.equal((await callUnary(client, 'getInfo', {})).challengerVersion, '0');
    await assert.rejects(callUnary(client, 'promoteChallenger', {}), { reason: 'no-challenger' });
    assert.equal((await callUnary(client, 'update', learned)).policyVersion, '8');
    const undisturbed = new Learner({});
    undisturbed.importCheckpoint(otherBytes, 'x');
    const { field: _, ...plain } = { field: '', ...learned.experiences[0]! };
    undisturbed.update({
      updateId: 'u',
      experiences: [
        { field: '', id: plain.id!, context: testContext(1), encoderId: testEncoderId, actionIndex: 1, reward: 0.5 },
      ],
    });
    assert.deepEqual(await exportedBytes(client), Buffer.from(undisturbed.exportCheckpoint()));
  }
});

test('a promotion counts the version on where the challenger’s is not newer, and watchers are told', async () => {
  const { client, server } = await servers.start('--checkpoint', checkpoint);
  for (let n = 0; n < 8; n++)
    await callUnary(client, 'update', { ...learned, updateId: `u${n}`, experiences: [experienceOf(`e${n}`, n)] });
  await importBytes(client, otherBytes, true);
  const seen: string[] = [];
  for await (const { policyVersion } of callServerStream(client, 'watchPolicy', {})) {
    seen.push(policyVersion);
    if (seen.length === 1) await callUnary(client, 'promoteChallenger', {});
    else void server.stop();
  }
  assert.deepEqual(seen, ['9', '10']);
});

test('a challenger that is damaged, of another space, or has nobody to challenge is refused and nothing changes', async () => {
  const { client } = await servers.start('--checkpoint', checkpoint);
  await assert.rejects(importBytes(client, otherBytes.subarray(0, 4096), true), { code: 'DATA_LOSS' });
  const space = new ActionSpace([0, 10], [8]);
  const state = NeuralUcb.initial({ space, dimension: testDimension, hidden: 9, seed: 1 }).state();
  await assert.rejects(importBytes(client, testBytes({ state }), true), { reason: 'other-action-space' });
  assert.equal((await callUnary(client, 'getInfo', {})).challengerVersion, '0');
  const bare = await servers.start();
  await assert.rejects(importBytes(bare.client, otherBytes, true), { reason: 'no-checkpoint' });
});

test('a challenger and a promotion outlive the process', async () => {
  const state = newState();
  const first = await servers.start('--checkpoint', checkpoint, '--state_dir', state);
  await importBytes(first.client, otherBytes, true);
  await first.server.stop();
  const second = await servers.start('--state_dir', state);
  assert.equal((await callUnary(second.client, 'getInfo', {})).challengerVersion, '7');
  await callUnary(second.client, 'promoteChallenger', {});
  const promoted = await exportedBytes(second.client);
  await second.server.stop();
  const third = await servers.start('--state_dir', state);
  assert.deepEqual(await exportedBytes(third.client), promoted);
  const { challengerVersion, policyVersion } = await callUnary(third.client, 'getInfo', {});
  assert.deepEqual([policyVersion, challengerVersion], ['7', '0']);
  assert.deepEqual(
    readdirSync(state).filter((name) => name.startsWith('challenger')),
    [],
  );
});

test('a promotion that died before its snapshot is undone at the start, one that died behind it is finished', async () => {
  const state = newState();
  const options = { folder: state, snapshotUpdates: 100, snapshotLogBytes: 1 << 30 };
  const open = async () => (await DurableLearner.open(new Learner({}), options, () => undefined)).durable;
  const durable = await open();
  await durable.importCheckpoint(testBytes(), 'x');
  await durable.importChallenger(otherBytes, 'x');
  await durable.close();
  await new ChallengerFile(state).begin(2); // the sequence of the snapshot that was never written
  const undone = await open();
  assert.deepEqual([undone.describe()!.policyVersion, undone.describe()!.challengerVersion], [1, 7]);
  await undone.promoteChallenger();
  await undone.close();
  writeFileSync(join(state, 'left.tmp'), otherBytes);
  renameSync(join(state, 'left.tmp'), join(state, 'challenger-promoted-0000000000000002.safetensors'));
  const finished = await open();
  assert.deepEqual([finished.describe()!.policyVersion, finished.describe()!.challengerVersion], [7, 0]);
  assert.deepEqual(
    readdirSync(state).filter((name) => name.startsWith('challenger')),
    [],
  );
  await finished.close();
});

test('the log tells what the challenger would have chosen', async () => {
  const file = join(folder, 'shadow.jsonl');
  const flags = ['--shadow_share', '0.5', '--decision_log', file];
  const { client, server } = await servers.start('--checkpoint', checkpoint, ...flags);
  await importBytes(client, otherBytes, true);
  const requests = Array.from({ length: 200 }, (_, seed) => ({ embedding: embeddingOf(seed), explore: true }));
  await callUnary(client, 'selectActions', { requests });
  await server.stop();
  const lines: DecisionLine[] = [];
  for await (const line of readDecisions(file)) if (line.kind === 'decision') lines.push(line);
  assert.equal(lines.length, 200);
  const shadowed = lines.filter(({ shadow }) => shadow !== undefined);
  assert.ok(shadowed.length > 50 && shadowed.length < 150);
  for (const [seed, { shadow }] of lines.entries()) {
    if (shadow === undefined) continue;
    const [choice] = otherAgent.select([testContext(seed)], 0);
    const expected = { version: 7, action_index: choice!.actionIndex, predicted_reward: choice!.prediction };
    assert.deepEqual(shadow, expected);
  }
});
