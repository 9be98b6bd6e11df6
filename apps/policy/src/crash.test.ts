import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PolicyServiceClient, type PolicyServiceStub, type UpdateRequest } from '@a2sf/contracts';
import { callClientStream, callServerStream, callUnary, connect } from '@a2sf/grpc-runtime';
import { Random } from '@a2sf/random';
import { failpoints, type Failpoint } from '@a2sf/run-store';
import { Learner } from './learner.js';
import { testBytes, testContext, testEncoderId } from './policy.fixture.js';
import { readUpdate } from './request.js';

const main = fileURLToPath(new URL('./main.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'a2sf-crash-'));
const checkpoint = join(root, 'policy_0.safetensors');
const running = new Set<ChildProcess>();
let folders = 0;

before(() => writeFileSync(checkpoint, testBytes()));
after(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(root, { recursive: true });
});

interface Server {
  readonly client: PolicyServiceStub;
  readonly http: string;
  readonly ended: Promise<'ended'>;
  kill(): Promise<void>;
}

/** Starts the real service on a state folder; undefined when it died before it served. */
async function start(state: string, failpoint = ''): Promise<Server | undefined> {
  const flags = ['--port', '0', '--http_port', '0', '--log_level', 'silent', '--snapshot_updates', '3'];
  const child = spawn(process.execPath, [main, ...flags, '--state_dir', state, '--checkpoint', checkpoint], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, A2SF_FAILPOINT: failpoint },
  });
  running.add(child);
  const ended = once(child, 'exit').then((): 'ended' => {
    running.delete(child);
    return 'ended';
  });
  const line = await Promise.race([once(createInterface(child.stdout), 'line') as Promise<[string]>, ended]);
  if (line === 'ended') {
    assert.equal(child.signalCode, 'SIGKILL', `ended by itself, at ${failpoint}`);
    return undefined;
  }
  const { port, httpPort } = JSON.parse(line[0]) as { port: number; httpPort: number };
  const client = connect(PolicyServiceClient, `127.0.0.1:${port}`);
  const kill = async (): Promise<void> => {
    client.close();
    child.kill('SIGKILL');
    await ended;
  };
  return { client, http: `http://127.0.0.1:${httpPort}`, ended, kill };
}

type Step = { readonly update: UpdateRequest } | { readonly imported: Uint8Array };

/** Updates of one to four experiences, some of them seen before, and an import amid them. */
function historyOf(seed: number): Step[] {
  const random = new Random(seed);
  let known = 0;
  return Array.from({ length: 14 }, (_, n): Step => {
    if (n === 6) return { imported: testBytes({ iteration: 40, policyVersion: 90 }) };
    const repeated = known > 0 && random.uniform() < 0.4 ? [random.below(known)] : [];
    const fresh = Array.from({ length: 1 + random.below(3) }, () => known++);
    const experiences = [...repeated, ...fresh].map((id) => ({
      id: `e${id}`,
      embedding: { values: [...testContext(id)], tokens: 3, encoderId: testEncoderId },
      actionIndex: random.below(4),
      reward: random.uniform(),
      rewards: n % 4 === 3 ? Array.from({ length: 4 }, () => random.uniform()) : [],
      key: n % 3 === 0 ? 'qa' : '',
    }));
    return { update: { updateId: `u${n}`, experiences } };
  });
}

/** The bytes of a learner that nobody killed. */
function undisturbed(history: readonly Step[]): Buffer {
  const learner = new Learner({});
  learner.importCheckpoint(testBytes(), 'x');
  for (const step of history) {
    if ('imported' in step) learner.importCheckpoint(step.imported, 'x');
    else learner.update(readUpdate(JSON.parse(JSON.stringify(step.update)) as never, 100));
  }
  return Buffer.from(learner.exportCheckpoint());
}

async function send({ client }: Server, step: Step): Promise<void> {
  if ('update' in step) return void (await callUnary(client, 'update', step.update));
  // An import that came to be and was not acknowledged is not done again: it would be a version of its own.
  if (Number((await callUnary(client, 'getInfo', {})).policyVersion) >= 90) return;
  await callClientStream(client, 'importCheckpoint', [{ data: step.imported }]);
}

async function exported({ client }: Server): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const { data } of callServerStream(client, 'exportCheckpoint', {})) chunks.push(data);
  return Buffer.concat(chunks);
}

async function metric({ http }: Server, name: string): Promise<number> {
  const text = await (await fetch(`${http}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/**
 * Plays a history against a service that dies at a failpoint, once started again at the next one, maybe while it recovers,
 * and then at the end; returns how often it died before.
 */
async function play(
  history: readonly Step[],
  failpoints: readonly string[],
): Promise<{ readonly deaths: number; readonly bytes: Buffer }> {
  const state = join(root, `state-${folders++}`);
  const ahead = [...failpoints];
  let deaths = 0;
  const live = async (): Promise<Server> => {
    for (;;) {
      const failpoint = ahead.shift() ?? '';
      const server = await start(state, failpoint);
      if (server !== undefined) return server;
      assert.notEqual(failpoint, '', 'died without a failpoint');
      deaths++;
    }
  };
  let alive = await live();
  for (const step of history) {
    for (;;) {
      const dying = alive.ended;
      const sent = send(alive, step).then(
        () => 'sent' as const,
        () => dying, // a call fails a moment before its server's end is known
      );
      const outcome = await Promise.race([dying, sent]);
      if (outcome === 'sent') break;
      deaths++;
      alive.client.close();
      alive = await live();
    }
  }
  await alive.kill();
  const last = (await start(state)) ?? assert.fail('died without a failpoint');
  const bytes = await exported(last);
  await last.kill();
  return { deaths, bytes };
}

/**
 * The passes of a place that are tried. Files are written in this order: the first segment; segment and snapshot of the
 * first import (2, 3), of the first snapshot (4, 5), of the next (6, 7), of the import amid the history (8, 9).
 * `A2SF_CRASH_TEST=all` tries every one.
 */
function passesOf(name: Failpoint): readonly number[] {
  const all = process.env['A2SF_CRASH_TEST'] === 'all';
  if (name.startsWith('file-')) return all ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [3, 5, 8 + (name.length % 2)];
  if (name.endsWith('-remove')) return all ? [1, 2, 3] : [1];
  return all ? [1, 2, 4, 6, 9] : [2 + (name.length % 6)];
}

describe(
  'killed at a place and started again, the service comes to the bytes of one that was not',
  { concurrency: 2 },
  () => {
    for (const [i, name] of failpoints.entries()) {
      test(name, async () => {
        for (const pass of passesOf(name)) {
          const history = historyOf(i * 31 + pass);
          const again = new Random(i * 31 + pass);
          const second = `${failpoints[again.below(failpoints.length)]}:${1 + again.below(3)}`;
          // Snapshots are written beside the updates: two that fall together are one, and the last passes then do not come.
          let at = pass;
          let { deaths, bytes } = await play(history, [`${name}:${at}`, second]);
          while (deaths === 0 && --at > 0) ({ deaths, bytes } = await play(history, [`${name}:${at}`, second]));
          assert.ok(deaths >= 1, `pass ${pass} was not reached, nor one before`);
          assert.ok(undisturbed(history).equals(bytes), `pass ${pass}, then ${second}`);
        }
      });
    }
  },
);

test('a record torn by a kill is cut off and counted', async () => {
  const state = join(root, 'torn');
  const dying = (await start(state, 'log-torn-write:2'))!;
  const history = historyOf(5);
  await send(dying, history[0]!);
  const lost = send(dying, history[1]!);
  lost.catch(() => undefined);
  await dying.ended;
  dying.client.close();
  const server = (await start(state))!;
  assert.equal(await metric(server, 'a2sf_policy_log_records_cut_total'), 1);
  assert.ok(undisturbed(history.slice(0, 1)).equals(await exported(server)));
  await server.kill();
});

const writes: readonly Failpoint[] = failpoints.filter((name) => name.startsWith('log-'));

test('a full disk refuses the update with nothing changed, and the same update is applied when there is space again', async () => {
  for (const name of writes) {
    const server = (await start(join(root, `full-${name}`), `${name}:2=ENOSPC`))!;
    const history = historyOf(9);
    await send(server, history[0]!);
    const unchanged = await exported(server);
    await assert.rejects(send(server, history[1]!), { code: 'RESOURCE_EXHAUSTED', reason: 'disk-full' }, name);
    assert.ok(unchanged.equals(await exported(server)), name);
    assert.equal(await metric(server, 'a2sf_policy_updates_unwritten_total'), 1);
    for (const step of history.slice(1, 5)) await send(server, step);
    await server.kill();
    const again = (await start(join(root, `full-${name}`)))!;
    assert.ok(undisturbed(history.slice(0, 5)).equals(await exported(again)), name);
    await again.kill();
  }
});

test('a disk that cannot be written is UNAVAILABLE, which the channel tries again', async () => {
  const server = (await start(join(root, 'read-only'), 'log-after-write:1=EROFS'))!;
  const history = historyOf(3);
  await send(server, history[0]!);
  assert.equal(await metric(server, 'a2sf_policy_updates_unwritten_total'), 1);
  assert.ok(undisturbed(history.slice(0, 1)).equals(await exported(server)));
  await server.kill();
});

const files: readonly Failpoint[] = failpoints.filter((name) => name.startsWith('file-'));

test('an import that finds no space leaves the old policy, in the process and on the disk', async () => {
  for (const name of files) {
    for (const pass of name === 'file-after-write' ? [4, 5] : [5]) {
      const state = join(root, `import-${name}-${pass}`);
      const server = (await start(state, `${name}:${pass}=ENOSPC`))!;
      const history = historyOf(4);
      await send(server, history[0]!);
      await assert.rejects(send(server, history[6]!), { reason: 'disk-full' }, `${name} ${pass}`);
      await send(server, history[1]!);
      const expected = undisturbed(history.slice(0, 2));
      assert.ok(expected.equals(await exported(server)), `${name} ${pass}`);
      await server.kill();
      const again = (await start(state))!;
      assert.ok(expected.equals(await exported(again)), `${name} ${pass}, started again`);
      await again.kill();
    }
  }
});

test('a snapshot that finds no space is tried again, and no update is lost or refused', async () => {
  for (const name of [...files, 'before-remove']) {
    const state = join(root, `snapshot-${name}`);
    const server = (await start(state, `${name}:${name === 'before-remove' ? 1 : 5}=ENOSPC`))!;
    const history = historyOf(4);
    for (const step of history) await send(server, step);
    const expected = undisturbed(history);
    assert.ok(expected.equals(await exported(server)), name);
    assert.ok(
      (await metric(server, 'a2sf_policy_snapshots_total{outcome="failed"}'.replace(/[{}]/g, '\\$&'))) >= 1,
      name,
    );
    await server.kill();
    const again = (await start(state))!;
    assert.ok(expected.equals(await exported(again)), name);
    await again.kill();
  }
});

/** In the order they are written: the first segment, two files of the first import, the challenger, two of its promotion. */
const promotionPasses = [4, 5, 6] as const;

test('killed anywhere in an import and a promotion of a challenger, the service serves the one or the other policy whole', async () => {
  const challenger = testBytes({ policyVersion: 7, iteration: 70 });
  const wanted = (() => {
    const learner = new Learner({});
    learner.importCheckpoint(challenger, 'x');
    return Buffer.from(learner.exportCheckpoint());
  })();
  for (const [i, name] of files.entries()) {
    const passes = process.env['A2SF_CRASH_TEST'] === 'all' ? promotionPasses : [promotionPasses[i % 3]!];
    for (const pass of passes) {
      const state = join(root, `promotion-${name}-${pass}`);
      const dying = (await start(state, `${name}:${pass}`))!;
      const { client } = dying;
      const pieces = [{ data: challenger, challenger: true }];
      const done = callClientStream(client, 'importCheckpoint', pieces).then(() =>
        callUnary(client, 'promoteChallenger', {}),
      );
      done.catch(() => undefined);
      await dying.ended;
      client.close();
      const server = (await start(state))!;
      const { policyVersion, challengerVersion } = await callUnary(server.client, 'getInfo', {});
      assert.match(`${policyVersion}/${challengerVersion}`, /^(1\/0|1\/7|7\/0)$/, `${name} ${pass}`);
      if (policyVersion !== '7') {
        if (challengerVersion === '0') await callClientStream(server.client, 'importCheckpoint', pieces);
        await callUnary(server.client, 'promoteChallenger', {});
      }
      assert.ok(wanted.equals(await exported(server)), `${name} ${pass}`);
      await server.kill();
    }
  }
});

test('a second process on the same folder is refused', async () => {
  const state = join(root, 'locked');
  const server = (await start(state))!;
  const child = spawn(process.execPath, [main, '--port', '0', '--http_port', '0', '--state_dir', state], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  assert.notDeepEqual(await once(child, 'exit'), [0, null]);
  assert.match(errors, /the folder is locked: process \d+/);
  await server.kill();
});
