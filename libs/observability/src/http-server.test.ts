import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { A2sfError } from '@a2sf/errors';
import { startHttp } from './http-server.js';
import { createLogger } from './logger.js';
import { Metrics } from './metrics.js';

const log = createLogger({ name: 'test', level: 'silent' });

async function withServer(use: (url: string, state: { ready: boolean }, port: number) => Promise<void>): Promise<void> {
  const state = { ready: false };
  const metrics = new Metrics({ processMetrics: false });
  metrics.gauge('a2sf_policy_version').set(4);
  const server = await startHttp({ host: '127.0.0.1', port: 0, metrics, ready: () => state.ready, log });
  try {
    await use(`http://127.0.0.1:${server.port}`, state, server.port);
  } finally {
    await server.close();
  }
}

/** Sends raw bytes and returns all that comes back until the server closes. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('utf8');
  let answer = '';
  socket.on('data', (chunk: string) => (answer += chunk));
  socket.write(bytes);
  await once(socket, 'close');
  return answer;
}

describe('the HTTP server', () => {
  test('tells 503 until the process is ready, 200 while it is, and lives all the time', async () => {
    await withServer(async (url, state) => {
      const status = async (path: string): Promise<number> => (await fetch(url + path)).status;
      assert.equal(await status('/readyz'), 503);
      assert.equal(await status('/healthz'), 200);
      state.ready = true;
      assert.equal(await status('/readyz?verbose'), 200);
      state.ready = false;
      assert.equal(await status('/readyz'), 503);
      assert.equal(await status('/healthz'), 200);
    });
  });

  test('serves the metrics in the text format of Prometheus', async () => {
    await withServer(async (url) => {
      const response = await fetch(`${url}/metrics`);
      assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
      assert.match(await response.text(), /^a2sf_policy_version 4$/m);
    });
  });

  test('answers HEAD like GET without a body, and refuses what is unknown, other methods and bodies', async () => {
    await withServer(async (url, _state, port) => {
      const head = await fetch(`${url}/metrics`, { method: 'HEAD' });
      assert.deepEqual([head.status, await head.text()], [200, '']);
      assert.equal((await fetch(`${url}/`)).status, 404);
      assert.equal((await fetch(`${url}/metrics/../etc/passwd`)).status, 404);
      assert.equal((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status, 405);
      assert.match(
        await raw(port, 'GET /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n'),
        /^HTTP\/1\.1 413 /,
      );
    });
  });

  test('refuses headers over the limit and garbage', async () => {
    await withServer(async (_url, _state, port) => {
      const long = `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`;
      assert.match(await raw(port, long), /^HTTP\/1\.1 431 /);
      assert.match(await raw(port, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
    });
  });

  test('closes connections that are open, and can be closed twice', async () => {
    const server = await startHttp({
      host: '127.0.0.1',
      port: 0,
      metrics: new Metrics({ processMetrics: false }),
      ready: () => true,
      log,
    });
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await Promise.all([server.close(), server.close()]);
    await closed;
  });

  test('a port in use is told with the flag that sets it', async () => {
    await withServer(async (_url, _state, port) => {
      await assert.rejects(
        startHttp({ host: '127.0.0.1', port, metrics: new Metrics({ processMetrics: false }), ready: () => true, log }),
        (error: unknown) => {
          assert.ok(error instanceof A2sfError);
          assert.equal(error.reason, 'port-in-use');
          assert.equal(error.message, `--http_port: 127.0.0.1:${port} is already in use`);
          return true;
        },
      );
    });
  });
});
