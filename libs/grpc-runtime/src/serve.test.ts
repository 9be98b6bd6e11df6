import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { RewardServiceClient } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import { callServerStream, callUnary } from './calls.js';
import { connect } from './channel.js';
import {
  gate,
  policyService,
  refusal,
  rewardService,
  startLoopback,
  until,
  withPolicy,
  withReward,
} from './loopback.fixture.js';
import { frame, rawCall } from './raw-client.fixture.js';
import { healthClient, waitUntilServing } from './wait-until-serving.js';

async function readyz(port: number): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
}

describe('health', () => {
  test('is told for the whole server and for the service, and follows readiness', async () => {
    await withReward({}, async (_client, { server, address }) => {
      const health = healthClient(address);
      const check = async (service: string): Promise<string> => (await callUnary(health, 'check', { service })).status;
      for (const service of ['', 'a2sf.reward.v1.RewardService']) {
        server.setReady(true);
        assert.equal(await check(service), 'SERVING');
        assert.equal(await readyz(server.httpPort), 200);
        server.setReady(false);
        assert.equal(await check(service), 'NOT_SERVING');
        assert.equal(await readyz(server.httpPort), 503);
      }
      assert.equal((await refusal(check('other'))).code, 'NOT_FOUND');
      health.close();
    });
  });

  test('is waited for until the server is ready', async () => {
    await withReward({}, async (_client, { server, address }) => {
      server.setReady(false);
      const early = await refusal(waitUntilServing(address, { timeoutMs: 50 }));
      assert.equal(early.message, `${address} is not serving after 50 ms: NOT_SERVING`);
      const waiting = waitUntilServing(address, { timeoutMs: 60_000 });
      server.setReady(true);
      await waiting;
    });
  });

  test('is waited for no longer than the caller wants', async () => {
    const nobody = 'localhost:1';
    const late = await refusal(waitUntilServing(nobody, { timeoutMs: 50 }));
    assert.deepEqual([late.code, late.reason], ['UNAVAILABLE', 'not-serving']);
    const signal = AbortSignal.abort(new A2sfError('ABORTED', 'enough'));
    assert.equal((await refusal(waitUntilServing(nobody, { timeoutMs: 60_000, signal }))).message, 'enough');
  });
});

describe('a server that stops', () => {
  test('lets a call in work finish, takes no new one, and is not ready meanwhile', async () => {
    const [started, finish] = [gate(), gate()];
    let stoppedAfter = '';
    const loopback = await startLoopback(
      rewardService({
        Score: async () => {
          started.open();
          await finish.opened;
          return { scores: [1] };
        },
      }),
    );
    const client = connect(RewardServiceClient, loopback.address);
    const call = callUnary(client, 'score', {});
    await started.opened;
    const stopping = loopback.server.stop().then(() => (stoppedAfter = 'stopped'));
    assert.equal(loopback.server.stop(), loopback.server.stop());
    await until(async () => (await readyz(loopback.server.httpPort)) === 503);
    const late = connect(RewardServiceClient, loopback.address);
    assert.equal((await refusal(callUnary(late, 'listMetrics', {}))).code, 'UNAVAILABLE');
    assert.equal(stoppedAfter, '');
    finish.open();
    assert.deepEqual((await call).scores, [1]);
    await stopping;
    await loopback.server.stopped;
    for (const each of [client, late]) each.close();
    await assert.rejects(readyz(loopback.server.httpPort));
  });

  test('ends calls that outlast the drain as UNAVAILABLE and tells their handlers', async () => {
    const started = gate();
    let code = '';
    const loopback = await startLoopback(
      rewardService({
        Score: async (_, { signal }) => {
          started.open();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          code = (signal.reason as A2sfError).code;
          return {};
        },
      }),
      { drainMs: 20 },
    );
    const call = rawCall(loopback.port, '/a2sf.reward.v1.RewardService/Score', frame(Buffer.alloc(0)));
    await started.opened;
    await loopback.server.stop();
    const { status, reason, message } = await call;
    assert.deepEqual(
      [status, reason, message, code],
      [14, 'shutting-down', 'the server is shutting down', 'UNAVAILABLE'],
    );
    assert.equal(await loopback.sample('grpc_server_in_flight_calls', {}), 0);
  });

  test('does not wait for health watches, and tells streams without end to end', async () => {
    const WatchPolicy = async function* (_: unknown, { draining }: { draining: AbortSignal }) {
      yield { iteration: 1 };
      await new Promise((resolve) => draining.addEventListener('abort', resolve));
    };
    await withPolicy(
      { WatchPolicy },
      async (client, { server, address }) => {
        const health = healthClient(address);
        const watch = callServerStream(health, 'watch', { service: '' });
        assert.equal((await watch.next()).value?.status, 'SERVING');
        const policy = callServerStream(client, 'watchPolicy', {});
        assert.equal((await policy.next()).value?.iteration, 1);
        const ends = [watch.next().then(({ value }) => value?.status), policy.next().then(({ done }) => done)];
        await server.stop();
        assert.deepEqual(await Promise.all(ends), ['NOT_SERVING', true]);
        assert.equal((await refusal(watch.next())).code, 'UNAVAILABLE');
        health.close();
      },
      { drainMs: 2_000_000_000 },
    );
  });

  test('releases its resources after the last call, also when that fails', async () => {
    const [started, finish] = [gate(), gate()];
    const order: string[] = [];
    const Score = async () => {
      started.open();
      await finish.opened;
      order.push('handler ended');
      return {};
    };
    const onStop = () => {
      order.push('released');
      return Promise.reject(new Error('odd'));
    };
    const loopback = await startLoopback(rewardService({ Score }), {}, onStop);
    const client = connect(RewardServiceClient, loopback.address);
    const call = callUnary(client, 'score', {});
    await started.opened;
    const stopping = loopback.server.stop();
    finish.open();
    await Promise.all([call, stopping]);
    assert.deepEqual(order, ['handler ended', 'released']);
    assert.ok(loopback.log.some(({ msg }) => msg === 'stopping failed'));
    assert.equal(process.exitCode, 1);
    process.exitCode = undefined;
    client.close();
  });
});

describe('a server', () => {
  test('whose port is in use is refused with the flag that sets it', async () => {
    await withReward({}, async (_client, { port }) => {
      const error = await refusal(startLoopback(rewardService({}), { port }));
      assert.equal(error.reason, 'port-in-use');
      assert.equal(error.message, `--port: 127.0.0.1:${port} is already in use`);
    });
  });

  test('whose HTTP port is in use is refused and leaves its gRPC port free', async () => {
    await withReward({}, async (_client, { server, port }) => {
      await server.stop();
      const other = await startLoopback(policyService({}));
      const error = await refusal(startLoopback(rewardService({}), { port, httpPort: other.server.httpPort }));
      assert.equal(error.message, `--http_port: 127.0.0.1:${other.server.httpPort} is already in use`);
      const again = await startLoopback(rewardService({}), { port });
      assert.equal(again.port, port);
      await again.server.stop();
      await other.server.stop();
    });
  });

  test('with a method without handler, or a handler without method, is not started', async () => {
    const spec = rewardService({});
    const { Score: _, ...fewer } = spec.handlers;
    await assert.rejects(startLoopback({ ...spec, handlers: fewer }), /methods without handler: \[Score\]/);
    const more = { ...spec.handlers, Extra: () => Promise.resolve({}) };
    await assert.rejects(startLoopback({ ...spec, handlers: more }), /handlers without method: \[Extra\]/);
  });

  test('serves 200 calls at once over one connection', async () => {
    const Score = async ({ items }: { items: readonly { prediction: string }[] }) => {
      await delay(1);
      return { scores: items.map(({ prediction }) => Number(prediction)) };
    };
    await withReward({ Score }, async (client, { sample }) => {
      const calls = Array.from({ length: 200 }, (_, i) =>
        callUnary(client, 'score', { items: [{ prediction: String(i) }] }),
      );
      assert.deepEqual(
        (await Promise.all(calls)).map(({ scores }) => scores[0]),
        Array.from({ length: 200 }, (_, i) => i),
      );
      assert.equal(await sample('grpc_server_started_total', { grpc_method: 'Score' }), 200);
      assert.equal(await sample('grpc_server_handled_total', { grpc_method: 'Score', grpc_code: 'OK' }), 200);
      assert.equal(await sample('grpc_server_msg_received_total', { grpc_method: 'Score' }), 200);
    });
  });
});
