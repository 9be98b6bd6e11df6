import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { RewardServiceClient } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import { callUnary } from './calls.js';
import { addressOf, connect, parseAddress } from './channel.js';
import { refusal, rewardService, startLoopback, withReward } from './loopback.fixture.js';

describe('an address', () => {
  test('is a host and port, several, or a target with its scheme; several are balanced over', () => {
    for (const [address, target, balanced] of [
      ['127.0.0.1:50051', '127.0.0.1:50051', false],
      ['[::1]:50051', '[::1]:50051', false],
      ['generator-0.generator:50052', 'generator-0.generator:50052', false],
      ['127.0.0.1:1,127.0.0.1:2', 'ipv4:127.0.0.1:1,127.0.0.1:2', true],
      ['[::1]:1,[::1]:2', 'ipv6:[::1]:1,[::1]:2', true],
      ['dns:///generator:50052', 'dns:///generator:50052', true],
      ['ipv4:10.0.0.1:1,10.0.0.2:1', 'ipv4:10.0.0.1:1,10.0.0.2:1', true],
      ['unix:/run/a2sf.sock', 'unix:/run/a2sf.sock', false],
    ] as const) {
      assert.deepEqual(parseAddress(address), { target, balanced }, address);
    }
  });

  test('of another form is refused', () => {
    for (const wrong of [
      '',
      'host',
      ':1',
      'host:',
      'host:0',
      'host:70000',
      'http://host:1',
      'a b:1',
      'a:1,b:2',
      'a:1,',
      'dns:',
    ]) {
      assert.throws(() => parseAddress(wrong), A2sfError, wrong);
    }
  });

  test('is told by a client as its user wrote it', () => {
    for (const address of ['127.0.0.1:50051', 'localhost:1', '127.0.0.1:1,127.0.0.1:2']) {
      const client = connect(RewardServiceClient, address);
      assert.equal(addressOf(client), address);
      client.close();
    }
    const client = connect(RewardServiceClient, 'dns:///generator:50052');
    assert.equal(addressOf(client), 'generator:50052');
    client.close();
  });
});

describe('a client', () => {
  test('whose peer is not there tells so with its address', async () => {
    const client = connect(RewardServiceClient, '127.0.0.1:1');
    const { code, message, reason } = await refusal(callUnary(client, 'score', {}));
    assert.deepEqual([code, message, reason], ['UNAVAILABLE', 'peer not reachable at 127.0.0.1:1', 'unreachable']);
    client.close();
  });

  test('tries a call again that the server could not take', async () => {
    let calls = 0;
    const Score = () => {
      if (++calls < 3) throw new A2sfError('UNAVAILABLE', 'the model is loading', { reason: 'loading' });
      return Promise.resolve({ scores: [1] });
    };
    await withReward({ Score }, async (client) => {
      assert.deepEqual((await callUnary(client, 'score', {})).scores, [1]);
      assert.equal(calls, 3);
    });
  });

  test('gives up with the server’s own words, and tries nothing else again', async () => {
    let calls = 0;
    let code: 'UNAVAILABLE' | 'INTERNAL' = 'UNAVAILABLE';
    const Score = () => {
      calls++;
      throw new A2sfError(code, 'the model is loading', { reason: 'loading' });
    };
    await withReward({ Score }, async (client) => {
      const { message, reason } = await refusal(callUnary(client, 'score', {}));
      assert.deepEqual([message, reason, calls], ['the model is loading', 'loading', 4]);
      code = 'INTERNAL';
      await refusal(callUnary(client, 'score', {}));
      assert.equal(calls, 5);
    });
  });

  test('of several servers uses all of them, and goes on when one is gone', async () => {
    const seen = [0, 0, 0];
    const servers = await Promise.all(
      seen.map((_, i) =>
        startLoopback(
          rewardService({
            Score: () => {
              seen[i]!++;
              return Promise.resolve({ scores: [i] });
            },
          }),
        ),
      ),
    );
    const client = connect(RewardServiceClient, servers.map(({ address }) => address).join(','));
    const call = () => callUnary(client, 'score', {});
    // Connections come up one after the other; until all are there, the first serve alone.
    while (seen.includes(0)) await call();
    await servers[0]!.server.stop();
    for (let i = 0; i < 20; i++) assert.notDeepEqual((await call()).scores, [0]);
    client.close();
    await Promise.all(servers.map(({ server }) => server.stop()));
  });

  test('connects again to a server that came back', async () => {
    await withReward({}, async (client, { server, port }) => {
      await callUnary(client, 'listMetrics', {});
      await server.stop();
      const again = await startLoopback(rewardService({}), { port });
      assert.deepEqual((await callUnary(client, 'listMetrics', {})).metrics, ['x']);
      await again.server.stop();
    });
  });

  test('with a signal that is aborted does not call at all', async () => {
    await withReward({}, async (client, { sample }) => {
      const reason = new A2sfError('CANCELLED', 'stopped by the user');
      const error = await refusal(callUnary(client, 'listMetrics', {}, { signal: AbortSignal.abort(reason) }));
      assert.equal(error, reason);
      const plain = await refusal(callUnary(client, 'listMetrics', {}, { signal: AbortSignal.abort() }));
      assert.equal(plain.code, 'CANCELLED');
      assert.equal(await sample('grpc_server_started_total', { grpc_method: 'ListMetrics' }), 0);
    });
  });

  test('leaves no listener on the caller’s signal', async () => {
    await withReward({}, async (client) => {
      const { signal } = new AbortController();
      for (let i = 0; i < 20; i++) await callUnary(client, 'listMetrics', {}, { signal });
      assert.equal(getEventListeners(signal, 'abort').length, 0);
    });
  });
});
