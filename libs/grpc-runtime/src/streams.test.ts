import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { A2sfError } from '@a2sf/errors';
import { callClientStream, callServerStream, callUnary } from './calls.js';
import type { CallContext } from './handlers.js';
import { gate, refusal, until, withPolicy } from './loopback.fixture.js';
import { frame, rawCall } from './raw-client.fixture.js';

async function all<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const message of messages) found.push(message);
  return found;
}

const exportPath = '/a2sf.policy.v1.PolicyService/ExportCheckpoint';
const importPath = '/a2sf.policy.v1.PolicyService/ImportCheckpoint';

describe('a server stream', () => {
  test('delivers what its handler yields, in order', async () => {
    const ExportCheckpoint = async function* () {
      for (let i = 0; i < 100; i++) yield { data: Buffer.from([i]) };
      await Promise.resolve();
    };
    await withPolicy({ ExportCheckpoint }, async (client, { sample }) => {
      const chunks = await all(callServerStream(client, 'exportCheckpoint', {}));
      assert.deepEqual(
        chunks.map(({ data }) => data[0]),
        Array.from({ length: 100 }, (_, i) => i),
      );
      assert.equal(await sample('grpc_server_msg_sent_total', { grpc_method: 'ExportCheckpoint' }), 100);
      assert.equal(await sample('grpc_server_handled_total', { grpc_type: 'server_stream', grpc_code: 'OK' }), 1);
    });
  });

  test('that fails midway delivers what came before, then the failure', async () => {
    const ExportCheckpoint = async function* () {
      yield { data: Buffer.from('a') };
      await Promise.resolve();
      throw new A2sfError('DATA_LOSS', 'the checkpoint is damaged');
    };
    await withPolicy({ ExportCheckpoint }, async (client) => {
      let count = 0;
      const read = async (): Promise<void> => {
        for await (const _ of callServerStream(client, 'exportCheckpoint', {})) count++;
      };
      assert.equal((await refusal(read())).code, 'DATA_LOSS');
      assert.equal(count, 1);
    });
  });

  test('whose handler throws before it returns a stream fails, and the server goes on', async () => {
    const ExportCheckpoint = (): never => {
      throw new A2sfError('FAILED_PRECONDITION', 'no checkpoint');
    };
    await withPolicy({ ExportCheckpoint }, async (client) => {
      assert.equal((await refusal(all(callServerStream(client, 'exportCheckpoint', {})))).message, 'no checkpoint');
      assert.equal((await callUnary(client, 'getInfo', {})).agent, 'x');
    });
  });

  test('waits for a slow reader instead of filling the memory, others are served, and ends with its connection', async () => {
    const chunk = Buffer.alloc(64 << 10);
    let yielded = 0;
    let ended = false;
    const ExportCheckpoint = async function* () {
      try {
        for (;;) {
          yielded++;
          yield { data: chunk };
          await Promise.resolve();
        }
      } finally {
        ended = true;
      }
    };
    await withPolicy({ ExportCheckpoint }, async (client, { port, sample }) => {
      const session = connect(`http://127.0.0.1:${port}`);
      const stream = session.request({ ':method': 'POST', ':path': exportPath, 'content-type': 'application/grpc' });
      for (const emitter of [session, stream]) emitter.on('error', () => {});
      stream.end(frame(Buffer.alloc(0)));
      let seen = -1;
      await until(async () => {
        if (yielded > 0 && yielded === seen) return true;
        seen = yielded;
        await delay(100);
        return false;
      });
      assert.ok(yielded <= 16, `${yielded} chunks of 64 KiB are on their way`);
      assert.equal((await callUnary(client, 'getInfo', {})).agent, 'x');
      session.destroy();
      await until(() => ended);
      await until(async () => (await sample('grpc_server_in_flight_calls', {})) === 0);
    });
  });

  test('whose reader does not read past the deadline is reset', async () => {
    const chunk = Buffer.alloc(64 << 10);
    const ExportCheckpoint = async function* () {
      for (;;) {
        yield { data: chunk };
        await Promise.resolve();
      }
    };
    await withPolicy(
      { ExportCheckpoint },
      async (_client, { port, sample }) => {
        const session = connect(`http://127.0.0.1:${port}`);
        const stream = session.request({ ':method': 'POST', ':path': exportPath, 'content-type': 'application/grpc' });
        for (const emitter of [session, stream]) emitter.on('error', () => {});
        const closed = new Promise((resolve) => stream.on('close', resolve));
        stream.end(frame(Buffer.alloc(0)));
        await closed;
        assert.equal(await sample('grpc_server_handled_total', { grpc_code: 'DEADLINE_EXCEEDED' }), 1);
        session.destroy();
      },
      { defaultDeadlineMs: 50, bodyTimeoutMs: 50 },
    );
  });

  test('that its reader leaves stops the handler', async () => {
    const stopped = gate();
    const ExportCheckpoint = async function* () {
      try {
        for (let i = 0; ; i++) {
          yield { data: Buffer.from([i % 256]) };
          await Promise.resolve();
        }
      } finally {
        stopped.open();
      }
    };
    await withPolicy({ ExportCheckpoint }, async (client, { sample }) => {
      for await (const _ of callServerStream(client, 'exportCheckpoint', {})) break;
      await stopped.opened;
      await until(async () => (await sample('grpc_server_in_flight_calls', {})) === 0);
      assert.equal(await sample('grpc_server_handled_total', { grpc_code: 'CANCELLED' }), 1);
    });
  });

  test('tells an iterator that waits for its next value to stop', async () => {
    const told = gate();
    const ExportCheckpoint = (): AsyncIterable<{ data: Buffer }> => ({
      [Symbol.asyncIterator]: () => ({
        next: () => told.opened.then(() => ({ done: true as const, value: undefined })),
        return: () => {
          told.open();
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    });
    await withPolicy({ ExportCheckpoint }, async (client, { sample }) => {
      const read = all(callServerStream(client, 'exportCheckpoint', {}, { timeoutMs: 100 }));
      assert.equal((await refusal(read)).code, 'DEADLINE_EXCEEDED');
      await told.opened;
      await until(async () => (await sample('grpc_server_in_flight_calls', {})) === 0);
    });
  });
});

describe('a client stream', () => {
  const counted = async (requests: AsyncIterable<{ data: Buffer }>) => {
    let bytes = 0;
    for await (const { data } of requests) bytes += data.length;
    return { iteration: bytes };
  };

  test('delivers what its client sends, however slowly the handler reads', async () => {
    const ImportCheckpoint = async (requests: AsyncIterable<{ data: Buffer }>) => {
      await delay(20);
      return counted(requests);
    };
    await withPolicy({ ImportCheckpoint }, async (client) => {
      const chunks = Array.from({ length: 200 }, () => ({ data: Buffer.alloc(10_000) }));
      assert.equal((await callClientStream(client, 'importCheckpoint', chunks)).iteration, 2_000_000);
    });
  });

  test('may be answered before its end', async () => {
    const ImportCheckpoint = async (requests: AsyncIterable<{ data: Buffer }>) => {
      for await (const { data } of requests) return { iteration: data.length };
      return {};
    };
    await withPolicy({ ImportCheckpoint }, async (client, { sample }) => {
      const endless = async function* () {
        for (;;) {
          yield { data: Buffer.alloc(1000) };
          await delay(1);
        }
      };
      assert.equal((await callClientStream(client, 'importCheckpoint', endless())).iteration, 1000);
      await until(async () => (await sample('grpc_server_in_flight_calls', {})) === 0);
    });
  });

  test('may be refused before its end', async () => {
    const ImportCheckpoint = async (requests: AsyncIterable<unknown>) => {
      for await (const _ of requests) throw new A2sfError('DATA_LOSS', 'damaged');
      return {};
    };
    await withPolicy({ ImportCheckpoint }, async (client) => {
      const endless = async function* () {
        for (;;) {
          yield { data: Buffer.alloc(1000) };
          await delay(1);
        }
      };
      assert.equal((await refusal(callClientStream(client, 'importCheckpoint', endless()))).message, 'damaged');
    });
  });

  test('whose source fails fails with the source’s error and cancels the call', async () => {
    const arrived = gate();
    // Node's client ends the request before it resets the stream, so that the handler may see an end and then the cancel.
    const ImportCheckpoint = async (requests: AsyncIterable<unknown>, { signal }: CallContext) => {
      for await (const _ of requests) arrived.open();
      if (!signal.aborted) await once(signal, 'abort');
      throw signal.reason as Error;
    };
    await withPolicy({ ImportCheckpoint }, async (client, { sample }) => {
      const broken = async function* () {
        yield { data: Buffer.alloc(10) };
        await arrived.opened;
        throw new A2sfError('DATA_LOSS', 'the file is cut off');
      };
      const error = await refusal(callClientStream(client, 'importCheckpoint', broken()));
      assert.equal(error.message, 'the file is cut off');
      await until(async () => (await sample('grpc_server_handled_total', { grpc_code: 'CANCELLED' })) === 1);
      await until(async () => (await sample('grpc_server_in_flight_calls', {})) === 0);
    });
  });

  test('that falls silent is ended after the body timeout', async () => {
    await withPolicy(
      { ImportCheckpoint: counted },
      async (_client, { port, sample }) => {
        const answer = await rawCall(port, importPath, frame(Buffer.from([0x0a, 1, 0])), { end: false });
        assert.deepEqual([answer.status, answer.reason], [4, 'body-timeout']);
        assert.equal(await sample('grpc_server_in_flight_calls', {}), 0);
      },
      { bodyTimeoutMs: 50 },
    );
  });

  test('with a malformed message is refused', async () => {
    await withPolicy({ ImportCheckpoint: counted }, async (_client, { port }) => {
      const body = Buffer.concat([frame(Buffer.from([0x0a, 1, 0])), frame(Buffer.from([0x0a, 9]))]);
      assert.equal((await rawCall(port, importPath, body)).status, 3);
      // The status first, then a reset that is no error: the rest of the request is not waited for.
      const unfinished = await rawCall(port, importPath, body, { end: false });
      assert.deepEqual([unfinished.status, unfinished.rstCode], [3, 0]);
    });
  });
});
