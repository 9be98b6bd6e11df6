import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { agentType, restoreAgent } from '@a2sf/bandit';
import type { SelectActionResponseOutput } from '@a2sf/contracts';
import { callUnary } from '@a2sf/grpc-runtime';
import {
  decodeContext,
  decodePolicyCheckpoint,
  readDecisions,
  type DecisionLine,
  type DecisionLogLine,
} from '@a2sf/run-store';
import { embeddingOf, experienceOf, exportedBytes, importBytes, PolicyServers } from './policy-server.fixture.js';
import { testBytes, testContext, testDimension, testEncoderId, testSpace } from './policy.fixture.js';

const servers = new PolicyServers();
const { checkpoint, folder } = servers;
after(() => servers.stop());

async function linesOf(file: string): Promise<DecisionLogLine[]> {
  const lines: DecisionLogLine[] = [];
  for await (const line of readDecisions(file)) lines.push(line);
  return lines;
}

/** The choice that a line and the policy of its version bring about. */
function replayed(line: DecisionLine, bytes: Uint8Array) {
  const agent = restoreAgent(decodePolicyCheckpoint(bytes).checkpoint.state, { learns: false });
  const [choice] = agent.select([decodeContext(line)], line.beta, {
    keys: [line.key === '' ? undefined : line.key],
    draws: [line.draw],
    epsilon: line.epsilon,
    boundBeta: line.bound_beta,
    uncertainty: line.lower_bound !== undefined,
  });
  return choice!;
}

test('a logged decision and the policy of its version bring about the same answer, bit for bit, whatever the algorithm', async () => {
  for (const name of ['neural-ucb', 'neural-thompson', 'epsilon-greedy', 'random', 'task-table']) {
    const file = join(folder, `${name}.jsonl`);
    const { client, server } = await servers.start('--decision_log', file, '--epsilon', '0.3');
    const made = agentType(name).initial({ space: testSpace, dimension: testDimension, hidden: 12, seed: 3 });
    await importBytes(client, testBytes({ state: made.state() }));
    const policies = new Map<string, Buffer>([['1', await exportedBytes(client)]]);
    const answers: SelectActionResponseOutput[] = [];
    for (let n = 0; n < 20; n++) {
      const key = n % 3 === 0 ? '' : `group ${n % 3}`;
      const request = { embedding: embeddingOf(n), explore: n % 4 > 0, explain: n % 8 === 0, key };
      answers.push(await callUnary(client, 'selectAction', request));
      if (n !== 9) continue;
      await callUnary(client, 'update', { updateId: 'u', experiences: [experienceOf('x', 1, { key: 'group 1' })] });
      policies.set('2', await exportedBytes(client));
    }
    await server.stop();
    const lines = await linesOf(file);
    assert.equal(lines.length, 20);
    for (const [n, line] of lines.entries()) {
      assert.ok(line.kind === 'decision');
      const answer: SelectActionResponseOutput = answers[n]!;
      const { actionIndex, prediction, propensity, ucb, lowerBound } = replayed(
        line,
        policies.get(String(line.policy_version))!,
      );
      const again = [actionIndex, prediction, propensity, ucb, lowerBound];
      const { predictedReward } = answer;
      assert.deepEqual(again, [answer.actionIndex, predictedReward, answer.propensity, answer.ucb, answer.lowerBound]);
      assert.deepEqual(again, [line.action_index, line.predicted_reward, line.propensity, line.ucb, line.lower_bound]);
      assert.deepEqual([line.id, line.context_hash], [answer.decisionId, answer.contextHash]);
      assert.deepEqual([line.agent, line.encoder_id], [name, testEncoderId]);
      assert.deepEqual(decodeContext(line), testContext(n));
    }
  }
});

test('rewards of decisions are logged once, those of other experiences and no text are not', async () => {
  const file = join(folder, 'rewards.jsonl');
  const { client, server } = await servers.start('--checkpoint', checkpoint, '--decision_log', file);
  const choices = await Promise.all(
    [1, 2].map((seed) => callUnary(client, 'selectAction', { embedding: embeddingOf(seed) })),
  );
  const [first, second] = choices.map(({ decisionId }) => decisionId);
  const empty = await callUnary(client, 'selectAction', { text: ' ' });
  assert.equal(empty.decisionId, '');
  const update = { updateId: 'u', experiences: [experienceOf('episode 1', 3), experienceOf(first!, 1)] };
  for (let n = 0; n < 2; n++) await callUnary(client, 'update', update);
  const rewards = [0.5, 0.25, 1, 0];
  const experiences = [experienceOf(first!, 1, { rewards }), experienceOf(second!, 2, { rewards })];
  await callUnary(client, 'update', { updateId: 'v', experiences });
  await server.stop();
  const rows = (await linesOf(file)).filter(({ kind }) => kind === 'reward');
  assert.deepEqual(rows, [
    { kind: 'reward', id: first, action_index: 1, reward: 0.5 },
    { kind: 'reward', id: second, rewards },
  ]);
  assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, 4);
});

test('a decision settles with a service that was started again since, and its reward joins it in the log', async () => {
  const file = join(folder, 'restart.jsonl');
  const state = ['--state_dir', join(folder, 'restart'), '--decision_log', file];
  const first = await servers.start('--checkpoint', checkpoint, ...state);
  const { decisionId, actionIndex } = await callUnary(first.client, 'selectAction', { embedding: embeddingOf(1) });
  await first.server.stop();
  const second = await servers.start(...state);
  const experiences = [experienceOf(decisionId, 1, { actionIndex })];
  assert.equal((await callUnary(second.client, 'update', { updateId: 'u', experiences })).policyVersion, '2');
  const other = [experienceOf(decisionId, 1, { embedding: embeddingOf(1, { encoderId: 'other@2' }) })];
  await assert.rejects(callUnary(second.client, 'update', { updateId: 'v', experiences: other }), {
    reason: 'other-encoder',
  });
  await second.server.stop();
  assert.deepEqual(
    (await linesOf(file)).map(({ kind, id }) => [kind, id]),
    [
      ['decision', decisionId],
      ['reward', decisionId],
    ],
  );
});

test('a decision log that cannot be opened ends the start', async () => {
  await assert.rejects(servers.start('--decision_log', folder), { code: 'FAILED_PRECONDITION' });
});
