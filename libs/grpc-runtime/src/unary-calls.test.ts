import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { describe, test } from 'node:test';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { A2sfError } from '@a2sf/errors';
import { callUnary } from './calls.js';
import { gate, refusal, until, withReward } from './loopback.fixture.js';
import { frame } from './raw-client.fixture.js';

const Score = { grpc_method: 'Score' };

describe('a unary call', () => {
  test('is answered with what its handler returns, types following the contract', async () => {
    await withReward({ Score: ({ items }) => Promise.resolve({ scores: items.map(() => 0.5) }) }, async (client) => {
      const { scores } = await callUnary(client, 'score', { items: [{ metric: 'a' }, { metric: 'b' }] });
      const numbers: number[] = scores;
      assert.deepEqual(numbers, [0.5, 0.5]);
      // @ts-expect-error a method that the service has not
      await assert.rejects(callUnary(client, 'scores', {}), TypeError);
      // @ts-expect-error a field that the message has not
      await callUnary(client, 'score', { item: [] });
    });
  });

  test('whose handler refuses it fails with the code, message, field and reason of the refusal', async () => {
    const Score_ = (): never => {
      throw A2sfError.invalid('items[0].metric', 'unknown metric “✗”', 'unknown-metric');
    };
    await withReward({ Score: Score_ }, async (client) => {
      const { code, message, field, reason } = await refusal(callUnary(client, 'score', {}));
      assert.deepEqual(
        { code, message, field, reason },
        {
          code: 'INVALID_ARGUMENT',
          message: 'items[0].metric: unknown metric “✗”',
          field: 'items[0].metric',
          reason: 'unknown-metric',
        },
      );
    });
  });

  test('with a lone surrogate or much text in the refusal is refused all the same', async () => {
    const Score_ = (): Promise<never> =>
      Promise.reject(new A2sfError('NOT_FOUND', `\uD800${'x'.repeat(1e6)}`, { field: 'é\n' }));
    await withReward({ Score: Score_ }, async (client) => {
      const { code, message, field } = await refusal(callUnary(client, 'score', {}));
      assert.equal(code, 'NOT_FOUND');
      assert.equal(message, `\uFFFD${'x'.repeat(1023)}`);
      assert.equal(field, '??');
    });
  });

  for (const [how, Score_] of [
    [
      'throws',
      () => {
        throw new TypeError('secret detail');
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('secret detail'))],
    ['rejects with no error', () => Promise.reject('secret detail')],
    ['answers what the contract has no place for', () => Promise.resolve({ scores: 'secret' as unknown as number[] })],
  ] as const) {
    test(`whose handler ${how} is INTERNAL without detail, logged, and the next call is served`, async () => {
      await withReward({ Score: Score_ }, async (client, { log, sample }) => {
        const { code, message, reason } = await refusal(callUnary(client, 'score', {}));
        assert.equal(code, 'INTERNAL');
        assert.ok(!message.includes('secret'));
        assert.notEqual(reason, '');
        const line = log.find(({ level }) => level === 'error');
        assert.equal(line?.['msg'], 'call failed');
        assert.equal(await sample('grpc_server_handled_total', { ...Score, grpc_code: 'INTERNAL' }), 1);
        assert.deepEqual((await callUnary(client, 'listMetrics', {})).metrics, ['x']);
      });
    });
  }

  test('tells the request id that the log has, which is the client’s when it sent one', async () => {
    await withReward({ Score: () => Promise.reject(new Error('odd')) }, async (client, { log }) => {
      const metadata = new Metadata();
      metadata.set('x-request-id', 'abc-1');
      const error = await new Promise<ServiceError | null>((resolve) => {
        client.score({}, metadata, resolve);
      });
      assert.equal(error?.details, 'internal error, request abc-1');
      assert.equal(error.metadata.get('a2sf-request-id')[0], 'abc-1');
      const line = log.find(({ level }) => level === 'error');
      assert.equal(line?.['requestId'], 'abc-1');
      assert.match(String((line['err'] as Record<string, unknown>)['stack']), /Error: odd\n/);
    });
  });

  test('is answered at its deadline although its handler goes on, once, and is in work until the handler ends', async () => {
    const [started, finish] = [gate(), gate()];
    let reason: unknown;
    const Score_ = async (_: unknown, { signal }: { signal: AbortSignal }) => {
      signal.addEventListener('abort', () => (reason = signal.reason));
      started.open();
      await finish.opened;
      return { scores: [1] };
    };
    await withReward({ Score: Score_ }, async (client, { address, sample }) => {
      const { code, message } = await refusal(callUnary(client, 'score', {}, { timeoutMs: 200 }));
      assert.equal(code, 'DEADLINE_EXCEEDED');
      assert.ok(
        [`no answer from ${address} within 200 ms`, 'not done before the deadline of the call'].includes(message),
      );
      await started.opened;
      await until(() => reason !== undefined);
      assert.ok(reason instanceof A2sfError);
      // The client gives up at the same moment: its cancellation may arrive before the server's own clock is through.
      assert.ok(['DEADLINE_EXCEEDED', 'CANCELLED'].includes(reason.code));
      assert.equal(await sample('grpc_server_in_flight_calls', Score), 1);
      finish.open();
      await until(async () => (await sample('grpc_server_in_flight_calls', Score)) === 0);
      assert.equal(await sample('grpc_server_handled_total', Score), 1);
      assert.equal(await sample('grpc_server_handled_total', { ...Score, grpc_code: reason.code }), 1);
    });
  });

  test('without a deadline gets the server’s', async () => {
    let deadline = 0;
    const Score_ = (_: unknown, { signal, deadlineMs }: { signal: AbortSignal; deadlineMs: number }) => {
      deadline = deadlineMs;
      return new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    };
    await withReward(
      { Score: Score_ },
      async (client) => {
        const { code, message } = await refusal(callUnary(client, 'score', {}));
        assert.equal(code, 'DEADLINE_EXCEEDED');
        assert.match(message, /50 ms \(--default_deadline_ms/);
        assert.equal(deadline, 50);
      },
      { defaultDeadlineMs: 50 },
    );
  });

  test('that its client cancels aborts the handler’s signal and leaves nothing in work', async () => {
    const started = gate();
    const reasons: unknown[] = [];
    const Score_ = async (_: unknown, { signal }: { signal: AbortSignal }) => {
      started.open();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reasons.push(signal.reason);
      return {};
    };
    await withReward({ Score: Score_ }, async (client, { sample }) => {
      const controller = new AbortController();
      const call = refusal(callUnary(client, 'score', {}, { signal: controller.signal }));
      await started.opened;
      controller.abort(new A2sfError('ABORTED', 'enough'));
      assert.equal((await call).message, 'enough');
      await until(async () => (await sample('grpc_server_in_flight_calls', Score)) === 0);
      assert.ok(reasons[0] instanceof A2sfError);
      assert.equal(reasons[0].code, 'CANCELLED');
      assert.equal(await sample('grpc_server_handled_total', { ...Score, grpc_code: 'CANCELLED' }), 1);
    });
  });

  test('whose connection is lost is cancelled', async () => {
    const started = gate();
    let code = '';
    const Score_ = async (_: unknown, { signal }: { signal: AbortSignal }) => {
      started.open();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      code = (signal.reason as A2sfError).code;
      return {};
    };
    await withReward({ Score: Score_ }, async (_client, { port }) => {
      const session = connect(`http://127.0.0.1:${port}`);
      const path = '/a2sf.reward.v1.RewardService/Score';
      const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
      for (const emitter of [session, stream]) emitter.on('error', () => {});
      stream.end(frame(Buffer.alloc(0)));
      await started.opened;
      session.destroy();
      await until(() => code === 'CANCELLED');
    });
  });

  test('over the limit of calls is refused at once, and served when one has ended', async () => {
    const finish = gate();
    let running = 0;
    const Score_ = async () => {
      running++;
      await finish.opened;
      return { scores: [1] };
    };
    await withReward(
      { Score: Score_ },
      async (client) => {
        const two = [callUnary(client, 'score', {}), callUnary(client, 'score', {})];
        await until(() => running === 2);
        const { code, message, reason } = await refusal(callUnary(client, 'score', {}));
        assert.deepEqual([code, reason], ['RESOURCE_EXHAUSTED', 'too-many-calls']);
        assert.match(message, /works on 2 calls, its limit \(--max_concurrent_calls\)/);
        finish.open();
        await Promise.all(two);
        assert.deepEqual((await callUnary(client, 'score', {})).scores, [1]);
      },
      { maxConcurrentCalls: 2 },
    );
  });

  test('with a message over the limit, in either direction, is refused with the limit', async () => {
    const Score_ = () => Promise.resolve({ scores: Array.from({ length: 1000 }, () => 0.1) });
    await withReward(
      { Score: Score_ },
      async (client) => {
        const big = { items: [{ prediction: 'x'.repeat(5000) }] };
        const request = await refusal(callUnary(client, 'score', big));
        assert.equal(request.code, 'RESOURCE_EXHAUSTED');
        assert.match(request.message, /^request: has 5\d\d\d bytes, the limit is 4096 bytes \(--max_message_bytes\)$/);
        const response = await refusal(callUnary(client, 'score', {}));
        assert.equal(response.code, 'RESOURCE_EXHAUSTED');
        assert.match(response.message, /^response: has 80\d\d bytes, the limit is 4096 bytes \(--max_message_bytes\)$/);
      },
      { maxMessageBytes: 4096 },
    );
  });
});
