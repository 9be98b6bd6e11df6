import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  PolicyServiceClient,
  type PolicyServiceStub,
  type SelectActionResponseOutput,
  type UpdateRequest,
} from '@a2sf/contracts';
import { callClientStream, callServerStream, callUnary, connect } from '@a2sf/grpc-runtime';
import { NeuralUcb } from '@a2sf/bandit';
import { testBytes, testContext, testDimension, testEncoderId, testSpace } from './policy.fixture.js';

const main = fileURLToPath(new URL('./main.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'a2sf-replica-'));
const checkpoint = join(root, 'policy_0.safetensors');
const running = new Set<Process>();

before(() => writeFileSync(checkpoint, testBytes()));
afterEach(async () => {
  for (const server of running) await server.kill();
});
after(() => rmSync(root, { recursive: true }));

interface Process {
  readonly client: PolicyServiceStub;
  readonly address: string;
  readonly http: string;
  kill(): Promise<void>;
}

/** Starts the real service in a process of its own. */
async function start(...flags: string[]): Promise<Process> {
  const ports = flags.includes('--port') ? [] : ['--port', '0'];
  const child: ChildProcess & { readonly stdout: NodeJS.ReadableStream } = spawn(
    process.execPath,
    [main, ...ports, '--http_port', '0', '--log_level', 'silent', ...flags],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit');
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), ended])) as [unknown];
  assert.ok(typeof line === 'string', `ended with ${String(line)}`);
  const { port, httpPort } = JSON.parse(line) as { port: number; httpPort: number };
  const address = `127.0.0.1:${port}`;
  const client = connect(PolicyServiceClient, address);
  const server: Process = {
    client,
    address,
    http: `http://127.0.0.1:${httpPort}`,
    kill: async () => {
      running.delete(server);
      client.close();
      child.kill('SIGKILL');
      await ended;
    },
  };
  running.add(server);
  return server;
}

const startReplica = (learner: string, ...flags: string[]): Promise<Process> =>
  start('--role', 'replica', '--learner', learner, ...flags);

const portOf = ({ address }: Process): string => address.split(':')[1]!;

const infoOf = ({ client }: Process) => callUnary(client, 'getInfo', {});
const versionOf = async (server: Process): Promise<number> => Number((await infoOf(server)).policyVersion);

async function metric({ http }: Process, name: string): Promise<number> {
  const text = await (await fetch(`${http}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
}

const fetches = (outcome: string): string => `a2sf_policy_replica_fetches_total{outcome="${outcome}"}`;

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await isSo()) return;
    await delay(50);
  }
  assert.fail(`never: ${what}`);
}

const isReady = async ({ http }: Process): Promise<boolean> => (await fetch(`${http}/readyz`)).ok;

function updateOf(n: number): UpdateRequest {
  const embedding = { values: [...testContext(n)], tokens: 3, encoderId: testEncoderId };
  return { updateId: `u${n}`, experiences: [{ id: `e${n}`, embedding, actionIndex: n % 4, reward: (n % 7) / 7 }] };
}

async function update({ client }: Process, n: number): Promise<number> {
  return Number((await callUnary(client, 'update', updateOf(n))).policyVersion);
}

function select({ client }: Process, seed: number): Promise<SelectActionResponseOutput> {
  const embedding = { values: [...testContext(seed)], tokens: 3, encoderId: testEncoderId };
  return callUnary(client, 'selectAction', { embedding, explore: true, beta: 2 }, { timeoutMs: 10_000 });
}

/** What a decision says, but for its name in a log. */
function decision(answer: SelectActionResponseOutput): string {
  return JSON.stringify({ ...answer, decisionId: '' });
}

const seeds = [1, 2, 3, 4, 5];

test('a learner killed under load takes no answer of its three replicas with it, and is followed again when it is back', async () => {
  const flags = ['--checkpoint', checkpoint, '--state_dir', join(root, 'state')];
  let learner = await start(...flags);
  const replicas = await Promise.all([1, 2, 3].map(() => startReplica(learner.address)));
  for (const replica of replicas) await until('ready', () => isReady(replica));

  /** Decisions by version and context: the learner's, then those of whoever chose at that version. */
  const decisions = new Map<string, Set<string>>();
  const told = new Set<number>();
  const note = (seed: number, answer: SelectActionResponseOutput): void => {
    const name = `${answer.policyVersion} ${seed}`;
    decisions.set(name, (decisions.get(name) ?? new Set()).add(decision(answer)));
  };
  const learn = async (n: number): Promise<void> => {
    told.add(await update(learner, n));
    for (const seed of seeds) note(seed, await select(learner, seed));
  };
  for (const seed of seeds) note(seed, await select(learner, seed));

  const loaded = new AbortController();
  const failures: unknown[] = [];
  const answered = [0, 0, 0];
  const versions = [0, 0, 0];
  const load = [0, 1, 2, 3].map(async (first) => {
    for (let n = first; !loaded.signal.aborted; n++) {
      const seed = seeds[n % seeds.length]!;
      await select(replicas[n % 3]!, seed).then(
        (answer) => {
          note(seed, answer);
          answered[n % 3]!++;
          versions[n % 3] = Math.max(versions[n % 3]!, Number(answer.policyVersion));
        },
        (error: unknown) => failures.push(error),
      );
    }
  });
  const watched = replicas.map(async ({ client }) => {
    const seen: number[] = [];
    try {
      for await (const { policyVersion } of callServerStream(client, 'watchPolicy', {}))
        seen.push(Number(policyVersion));
    } catch {
      // ends with its replica
    }
    return seen;
  });

  for (let n = 0; n < 8; n++) await learn(n);
  await learner.kill();
  const before = answered.slice();
  await until('answers without a learner', async () => answered.every((count, i) => count > before[i]! + 50));
  assert.ok((await infoOf(replicas[0]!)).lagSeconds > 0);
  assert.ok(await isReady(replicas[0]!));

  learner = await start(...flags, '--port', portOf(learner));
  for (let n = 8; n < 12; n++) await learn(n);
  const late = await startReplica(learner.address);
  const last = await versionOf(learner);
  assert.equal(last, 13);
  for (const replica of [...replicas, late]) {
    await until('followed', async () => (await versionOf(replica)) === last);
    await until('no lag', async () => (await infoOf(replica)).lagSeconds === 0);
    for (const seed of seeds) note(seed, await select(replica, seed));
  }
  loaded.abort();
  await Promise.all(load);
  assert.deepEqual(failures, []);
  assert.ok(told.size === 12 && versions.every((version) => version === last));
  for (const [name, each] of decisions) assert.equal(each.size, 1, `${name}: ${[...each].join('\n')}`);
  const info = await infoOf(late);
  assert.deepEqual({ ...info, role: 'learner' }, { ...(await infoOf(learner)) });
  assert.equal(info.role, 'replica');
  for (const replica of replicas) {
    assert.equal(await metric(replica, 'a2sf_policy_version'), last);
    assert.equal(await metric(replica, 'a2sf_policy_replica_versions_behind'), 0);
    assert.equal(await metric(replica, fetches('older')), 0);
    await replica.kill();
  }
  for (const seen of await Promise.all(watched)) {
    assert.equal(seen.at(-1), last);
    assert.ok(
      seen.every((version, i) => i === 0 || version > seen[i - 1]!),
      seen.join(),
    );
  }
});

test('a replica that is started without its learner becomes ready with its first policy', async () => {
  const first = await start('--checkpoint', checkpoint);
  await first.kill();
  const replica = await startReplica(first.address);
  assert.equal(await isReady(replica), false);
  await assert.rejects(select(replica, 1), { code: 'UNAVAILABLE', reason: 'no-policy-yet' });
  const warm = await startReplica(first.address, '--checkpoint', checkpoint);
  assert.ok(await isReady(warm));
  assert.equal((await select(warm, 1)).policyVersion, '1');
  const learner = await start('--checkpoint', checkpoint, '--port', portOf(first));
  await until('ready', () => isReady(replica));
  await update(learner, 1);
  for (const each of [replica, warm]) await until('followed', async () => (await versionOf(each)) === 2);
});

test('a learner that lost its state is followed back to an older version, and to another policy of the same number', async () => {
  const first = await start('--checkpoint', checkpoint);
  for (let n = 0; n < 5; n++) await update(first, n);
  const replica = await startReplica(first.address);
  await until('followed', async () => (await versionOf(replica)) === 6);
  await first.kill();

  const second = await start('--checkpoint', checkpoint, '--port', portOf(first));
  await until('followed back', async () => (await versionOf(replica)) === 1);
  await until('counted', async () => (await metric(replica, fetches('older'))) === 1);
  assert.equal(decision(await select(replica, 1)), decision(await select(second, 1)));
  const old = decision(await select(second, 1));
  await second.kill();

  const other = join(root, 'other.safetensors');
  const state = NeuralUcb.initial({ space: testSpace, dimension: testDimension, hidden: 12, seed: 8 }).state();
  writeFileSync(other, testBytes({ state }));
  const third = await start('--checkpoint', other, '--port', portOf(first));
  const now = decision(await select(third, 1));
  assert.notEqual(now, old);
  await until('the other policy', async () => decision(await select(replica, 1)) === now);
  assert.equal(await versionOf(third), 1);
});

test('a learner whose streams end and begin again is not asked for the same policy again', async () => {
  const learner = await start(
    '--checkpoint',
    checkpoint,
    '--max_connection_age_ms',
    '1000',
    '--default_deadline_ms',
    '1000',
  );
  const replica = await startReplica(learner.address);
  await until('ready', () => isReady(replica));
  await delay(4000);
  assert.equal(await metric(replica, fetches('taken')), 1);
  await update(learner, 1);
  await until('followed', async () => (await versionOf(replica)) === 2);
  assert.equal(await metric(replica, fetches('failed')), 0);
});

test('what changes a policy or needs all of it is refused by a replica, which names its learner', async () => {
  const learner = await start('--checkpoint', checkpoint);
  const { client, ...replica } = await startReplica(learner.address);
  await until('ready', () => isReady({ client, ...replica }));
  const drain = async (): Promise<void> => {
    for await (const _ of callServerStream(client, 'exportCheckpoint', { servingOnly: true }));
  };
  const refused = {
    code: 'FAILED_PRECONDITION',
    reason: 'read-only-replica',
    message: new RegExp(`its learner at ${learner.address}`),
  };
  await assert.rejects(callUnary(client, 'update', updateOf(1)), refused);
  await assert.rejects(callClientStream(client, 'importCheckpoint', [{ data: Buffer.from('x') }]), refused);
  await assert.rejects(callUnary(client, 'promoteChallenger', {}), refused);
  await assert.rejects(drain(), refused);
});
