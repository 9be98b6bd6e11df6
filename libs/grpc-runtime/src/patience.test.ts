import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PolicyServiceClient, RewardServiceClient } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import { callServerStream, callUnary } from './calls.js';
import { connect } from './channel.js';
import { policyService, refusal, startLoopback, until } from './loopback.fixture.js';
import { withPatience } from './patience.js';

const away = (): A2sfError => new A2sfError('UNAVAILABLE', 'away');

describe('patience', () => {
  test('makes a call again while it ends UNAVAILABLE, and tells of it', async () => {
    const told: string[] = [];
    let attempts = 0;
    const call = (): Promise<number> => (++attempts < 3 ? Promise.reject(away()) : Promise.resolve(attempts));
    const done = await withPatience(call, {
      patienceMs: 60_000,
      onAway: ({ message }, first) => told.push(first ? `first ${message}` : message),
      onBack: () => told.push('back'),
    });
    assert.equal(done, 3);
    assert.deepEqual(told, ['first away', 'away', 'back']);
  });

  test('has an end, and is none by default; then the last refusal is what the caller hears', async () => {
    let attempts = 0;
    const call = (): Promise<never> => {
      attempts++;
      return Promise.reject(away());
    };
    assert.equal((await refusal(withPatience(call, {}))).message, 'away');
    assert.equal(attempts, 1);
    assert.equal((await refusal(withPatience(call, { patienceMs: 200 }))).message, 'away');
    assert.ok(attempts > 2);
  });

  test('does not repeat other refusals', async () => {
    let attempts = 0;
    const call = (): Promise<never> => {
      attempts++;
      return Promise.reject(new A2sfError('RESOURCE_EXHAUSTED', 'full'));
    };
    assert.equal((await refusal(withPatience(call, { patienceMs: 60_000 }))).code, 'RESOURCE_EXHAUSTED');
    assert.equal(attempts, 1);
  });

  test('ends at once with the reason of its signal', async () => {
    const controller = new AbortController();
    const reason = new A2sfError('CANCELLED', 'enough', { reason: 'stopped' });
    const onAway = (): void => void setTimeout(() => controller.abort(reason), 10);
    const waiting = withPatience(() => Promise.reject(away()), {
      patienceMs: 3_600_000,
      signal: controller.signal,
      onAway,
    });
    assert.equal(await refusal(waiting), reason);
  });

  test('makes a call again whose server closed the connection under it', async () => {
    let calls = 0;
    const server = createServer();
    server.on('stream', (stream) => {
      calls++;
      stream.on('error', () => {});
      stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' });
      stream.close(0); // no status: what is left of a call when its connection's grace is over
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect(RewardServiceClient, `127.0.0.1:${(server.address() as AddressInfo).port}`);
    try {
      const error = await refusal(callUnary(client, 'score', {}, { patienceMs: 300 }));
      assert.equal(error.code, 'UNAVAILABLE');
      assert.ok(calls > 1);
    } finally {
      client.close();
      server.close();
    }
  });

  test('a stream is begun anew before its first message only', async () => {
    let begun = 0;
    const { server, address } = await startLoopback(
      policyService({
        WatchPolicy: async function* () {
          // The channel itself makes four attempts.
          if (++begun < 6) throw away();
          yield { policyVersion: '1' };
          throw away();
        },
      }),
    );
    const client = connect(PolicyServiceClient, address);
    const versions: string[] = [];
    const watch = async (): Promise<void> => {
      const stream = callServerStream(client, 'watchPolicy', {}, { patienceMs: 60_000 });
      for await (const { policyVersion } of stream) versions.push(policyVersion);
    };
    assert.equal((await refusal(watch())).message, 'away');
    assert.deepEqual(versions, ['1']);
    client.close();
    await server.stop();
  });
});

const program = fileURLToPath(new URL('./reward-process.fixture.js', import.meta.url));

async function start(port: number): Promise<{ child: ChildProcess; port: number }> {
  const flags = ['--log_level', 'silent', '--host', '127.0.0.1', '--port', String(port)];
  const child = spawn(process.execPath, [program, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, port: (JSON.parse(line) as { port: number }).port };
}

test('a lone server that restarts on its port fails no call of patient clients', async () => {
  const first = await start(0);
  const { port } = first;
  let child = first.child;
  const client = connect(RewardServiceClient, `127.0.0.1:${port}`);
  const failures: unknown[] = [];
  const ended = new AbortController();
  let done = 0;
  let waited = 0;
  const options = { timeoutMs: 30_000, patienceMs: 60_000, onAway: () => void waited++ };
  const worker = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await callUnary(client, 'listMetrics', {}, options).then(
        () => done++,
        (error: unknown) => failures.push(error),
      );
    }
  };
  const load = Promise.all([worker(), worker(), worker(), worker()]);
  try {
    for (let restart = 0; restart < 2; restart++) {
      const goal = done + 50;
      await until(() => done >= goal);
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
      const before = waited;
      await until(() => waited > before); // the channel's own attempts are over
      ({ child } = await start(port));
    }
    const goal = done + 50;
    await until(() => done >= goal);
  } finally {
    ended.abort();
    await load;
    client.close();
    child.kill();
  }
  assert.deepEqual(failures, []);
});
