import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Metadata, type ServiceError, credentials } from '@grpc/grpc-js';
import { RewardServiceClient, type RewardServiceStub } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import { callUnary } from './calls.js';
import { channelOptions } from './channel.js';
import { gate, refusal, until, withReward } from './loopback.fixture.js';

const refusing = (reason: string, retryAfterMs?: number): A2sfError =>
  new A2sfError('RESOURCE_EXHAUSTED', 'no room', { reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });

/** A client of any make whose retry policy has RESOURCE_EXHAUSTED; its own backoff would be a minute. */
function retrying(address: string): RewardServiceStub {
  const retryPolicy = {
    maxAttempts: 3,
    initialBackoff: '60s',
    maxBackoff: '60s',
    backoffMultiplier: 1,
    retryableStatusCodes: ['RESOURCE_EXHAUSTED'],
  };
  return new RewardServiceClient(address, credentials.createInsecure(), {
    ...channelOptions(),
    'grpc.service_config': JSON.stringify({ methodConfig: [{ name: [{}], retryPolicy }] }),
  });
}

describe('a call that finds no room', () => {
  test('is told in grpc-retry-pushback-ms when to try again, and our own client hands that on', async () => {
    await withReward({ Score: () => Promise.reject(refusing('queue-full')) }, async (client) => {
      const error = await new Promise<ServiceError | null>((resolve) => void client.score({}, resolve));
      const [pushback] = error!.metadata.get('grpc-retry-pushback-ms');
      assert.match(String(pushback), /^\d+$/);
      assert.ok(Number(pushback) >= 500 && Number(pushback) <= 1500, String(pushback));
      const { reason, retryAfterMs } = await refusal(callUnary(client, 'score', {}));
      assert.equal(reason, 'queue-full');
      assert.ok(retryAfterMs! >= 500 && retryAfterMs! <= 1500);
    });
  });

  test('over the server’s limit of calls is told so, too', async () => {
    const finish = gate();
    let running = 0;
    const Score = async () => {
      running++;
      await finish.opened;
      return {};
    };
    await withReward(
      { Score },
      async (client) => {
        const first = callUnary(client, 'score', {});
        await until(() => running === 1);
        const unknown = await refusal(callUnary(client, 'listMetrics', {}));
        assert.equal(unknown.reason, 'too-many-calls');
        assert.ok(unknown.retryAfterMs! >= 500);
        finish.open();
        await first;
      },
      { maxConcurrentCalls: 1 },
    );
  });

  test('is tried again by a grpc client after that time, not after the client’s own', async () => {
    let calls = 0;
    const Score = () => (++calls < 3 ? Promise.reject(refusing('queue-full', 20)) : Promise.resolve({ scores: [1] }));
    await withReward({ Score }, async (_, { address }) => {
      const client = retrying(address);
      assert.deepEqual((await callUnary(client, 'score', {}, { timeoutMs: 30_000 })).scores, [1]);
      assert.equal(calls, 3);
      client.close();
    });
  });

  test('is not tried again where no waiting helps, nor ever by our own client', async () => {
    let calls = 0;
    let reason = 'prompt-too-long';
    const Score = () => (calls++, Promise.reject(refusing(reason)));
    await withReward({ Score }, async (own, { address }) => {
      const client = retrying(address);
      const { retryAfterMs } = await refusal(callUnary(client, 'score', {}));
      assert.deepEqual([calls, retryAfterMs], [1, undefined]);
      reason = 'queue-full';
      await refusal(callUnary(own, 'score', {}));
      assert.equal(calls, 2);
      client.close();
    });
  });
});

describe('the client of a call', () => {
  test('is its connection, or what it calls itself within bounds', async () => {
    const seen: string[] = [];
    const Score = (_: unknown, { client }: { client: string }) => (seen.push(client), Promise.resolve({}));
    await withReward({ Score }, async (one, { address }) => {
      // A second channel to the same address would share the connection.
      const other: RewardServiceStub = new RewardServiceClient(address, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
      });
      const named = async (client: RewardServiceStub, name?: string): Promise<void> => {
        const metadata = new Metadata();
        if (name !== undefined) metadata.set('x-a2sf-client', name);
        await new Promise<void>((resolve, reject) => {
          client.score({}, metadata, (error) => (error ? reject(error) : resolve()));
        });
      };
      await named(one);
      await named(one);
      await named(other);
      await named(one, 'trainer-1');
      await named(other, 'trainer-1');
      await named(one, 'x'.repeat(65));
      await named(one, 'a b');
      other.close();
      const [first, again, second, ...rest] = seen;
      assert.match(first!, /^peer .+:\d+$/);
      assert.equal(again, first);
      assert.notEqual(second, first);
      assert.deepEqual(rest, ['trainer-1', 'trainer-1', first, first]);
    });
  });
});
