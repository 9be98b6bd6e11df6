import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { resolveOptions } from '@a2sf/config';
import { PolicyServiceClient, type WatchPolicyResponse } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import { connect, serve, serverOptions, type AnyHandler, type CallContext } from '@a2sf/grpc-runtime';
import { createLogger, Metrics } from '@a2sf/observability';
import { Learner, type PolicyDescription } from './learner.js';
import { testBytes } from './policy.fixture.js';
import { ReplicaFollower } from './replica-follower.js';
import { ReplicaStanding } from './replica-standing.js';
import { VersionFeed } from './version-feed.js';

const log = createLogger({ name: 'test', level: 'silent' });
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A learner whose versions and exports a test decides, and a replica's follower. */
async function following(exported: () => Promise<Uint8Array> | Uint8Array) {
  const feed = new VersionFeed();
  const outcomes: string[] = [];
  const taken: number[] = [];
  const counts = { now: 0, most: 0, all: 0, servingOnly: 0 };
  const unasked = async (): Promise<never> => assert.fail('asked of the learner');
  const handlers: Record<string, AnyHandler> = {
    ...Object.fromEntries(
      ['SelectAction', 'SelectActions', 'Update', 'ImportCheckpoint', 'PromoteChallenger', 'GetInfo'].map((name) => [
        name,
        unasked,
      ]),
    ),
    WatchPolicy: async function* (
      _request: unknown,
      { signal, draining }: CallContext,
    ): AsyncGenerator<WatchPolicyResponse> {
      for await (const { policyVersion, iteration, updatedAt } of feed.watch([signal, draining])) {
        yield { policyVersion, iteration, updatedAt: { seconds: updatedAt.getTime(), nanos: 0 } };
      }
    },
    ExportCheckpoint: async function* (request: { servingOnly: boolean }) {
      counts.all++;
      counts.most = Math.max(counts.most, ++counts.now);
      if (request.servingOnly) counts.servingOnly++;
      try {
        yield { data: Buffer.from(await exported()) };
      } finally {
        counts.now--;
      }
    },
  };
  const { values } = resolveOptions({ name: 'test', description: '' }, serverOptions, [], {});
  const server = await serve({
    name: 'policy',
    service: { definition: PolicyServiceClient.service, handlers },
    options: values,
    metrics: new Metrics({ processMetrics: false }),
    log,
    process: false,
  });
  const client = connect(PolicyServiceClient, `127.0.0.1:${server.port}`);
  const learner = new Learner({});
  const standing = new ReplicaStanding();
  const follower = new ReplicaFollower({
    client,
    standing,
    maxCheckpointBytes: 1 << 20,
    log,
    revision: () => learner.describe()?.revision,
    take: async (bytes): Promise<PolicyDescription> => learner.adopt(bytes, 'test'),
    onFetched: (outcome, policy) => {
      outcomes.push(outcome);
      if (policy !== undefined) taken.push(policy.policyVersion);
    },
  });
  ends.push(async () => {
    await follower.stop();
    client.close();
    await server.stop();
  });
  return { feed, follower, standing, outcomes, taken, counts };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1_000_000; tries++) {
    if (isSo()) return;
    await setImmediate();
  }
  assert.fail('never');
}

test('of the versions that come during a fetch only the newest is fetched, and never two at a time', async () => {
  const release: (() => void)[] = [];
  let version = 1;
  const { feed, follower, standing, taken, counts } = await following(async () => {
    const policyVersion = version;
    await new Promise<void>((resolve) => release.push(resolve));
    return testBytes({ policyVersion });
  });
  feed.publish(1, 1);
  follower.start();
  await until(() => release.length === 1);
  for (version = 2; version < 9; version++) feed.publish(version, version);
  version = 9;
  feed.publish(9, 9);
  await until(() => standing.versionsBehind() === 9);
  release[0]!();
  await until(() => release.length === 2);
  release[1]!();
  await until(() => taken.length === 2 && standing.lagSeconds() === 0);
  assert.deepEqual(taken, [1, 9]);
  assert.deepEqual(counts, { now: 0, most: 1, all: 2, servingOnly: 2 });
});

test('a fetch that fails or is damaged is tried again, and what is served stays', async () => {
  const damaged = testBytes({ policyVersion: 5 });
  damaged[damaged.length - 1]! ^= 1;
  const answers: (() => Uint8Array)[] = [
    () => {
      throw new A2sfError('RESOURCE_EXHAUSTED', '4 exports at once is the limit', { reason: 'too-many-calls' });
    },
    () => damaged,
    () => new Uint8Array(),
    () => new Uint8Array((1 << 20) + 1),
    () => testBytes({ policyVersion: 5 }),
  ];
  const { feed, follower, standing, outcomes, taken } = await following(() => answers.shift()!());
  feed.publish(5, 5);
  follower.start();
  await until(() => taken.length === 1);
  assert.deepEqual(outcomes, ['failed', 'failed', 'failed', 'failed', 'taken']);
  assert.equal(standing.lagSeconds(), 0);
});

test('a version that comes right after a fetch is fetched', async () => {
  let version = 1;
  const { feed, follower, taken } = await following(() => testBytes({ policyVersion: version }));
  feed.publish(1, 1);
  follower.start();
  for (let n = 1; n <= 20; n++) {
    await until(() => taken.at(-1) === n);
    version = n + 1;
    feed.publish(version, version);
  }
  await until(() => taken.at(-1) === 21);
});

test('a follower that is stopped takes nothing more', async () => {
  const release: (() => void)[] = [];
  const { feed, follower, outcomes } = await following(async () => {
    await new Promise<void>((resolve) => release.push(resolve));
    return testBytes();
  });
  feed.publish(1, 1);
  follower.start();
  await until(() => release.length === 1);
  const stopped = follower.stop();
  release[0]!();
  await stopped;
  assert.deepEqual(outcomes, []);
});
