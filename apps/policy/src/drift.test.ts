import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { agentType } from '@a2sf/bandit';
import { callUnary } from '@a2sf/grpc-runtime';
import { Random } from '@a2sf/random';
import { metricOf, PolicyServers } from './policy-server.fixture.js';
import { testBytes, testDimension, testEncoderId, testSpace } from './policy.fixture.js';

/** Prompts of one kind lie in the first half of the space, those of another in the second. */
function contextOf(random: Random, kind: 0 | 1): Float32Array {
  const half = testDimension / 2;
  return Float32Array.from({ length: testDimension }, (_, i) =>
    Math.floor(i / half) === kind ? 0.5 + random.uniform() / 2 : 0,
  );
}

/** A policy that saw 400 prompts of the first kind, on which the first action earns 0.9 and the others 0.4. */
function trained(): Uint8Array {
  const agent = agentType('lin-ucb').initial({
    space: testSpace,
    dimension: testDimension,
    hidden: testDimension,
    seed: 1,
  });
  const random = new Random(5);
  for (let n = 0; n < 100; n++) {
    const batch = Array.from({ length: testSpace.size }, (_, actionIndex) => ({
      context: contextOf(random, 0),
      actionIndex,
      reward: actionIndex === 0 ? 0.9 : 0.4,
    }));
    agent.update(batch, { lr: 1e-3, maxGradNorm: 1 });
  }
  return testBytes({ state: agent.state() });
}

const servers = new PolicyServers(trained());
after(() => servers.stop());

test('when the prompts become others than it learned on, the policy advises the full cache, and its metric tells', async () => {
  const started = await servers.start('--checkpoint', servers.checkpoint, '--quality_floor', '0.5');
  const random = new Random(9);
  const advised = async (kind: 0 | 1): Promise<number> => {
    const requests = Array.from({ length: 100 }, () => ({
      embedding: { values: [...contextOf(random, kind)], tokens: 3, encoderId: testEncoderId },
    }));
    const { responses } = await callUnary(started.client, 'selectActions', { requests });
    return responses.filter(({ useFullCache }) => useFullCache).length;
  };
  const known = await advised(0);
  assert.ok(known <= 5, `${known} of 100 prompts that it knows`);
  const drifted = await advised(1);
  assert.ok(drifted >= 95, `${drifted} of 100 prompts that it does not know`);
  const told = await metricOf(started, 'a2sf_policy_full_cache_total{reason="below_floor"}');
  assert.ok(told >= drifted);
});
