import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { RewardServiceClient, type RewardServiceStub } from '@a2sf/contracts';
import { callUnary, connect } from '@a2sf/grpc-runtime';
import { residentBytes, sampleOf, startService, startServiceIn, type RunningService } from '../processes.js';

const path = '/a2sf.reward.v1.RewardService/Score';
const request = { items: [{ metric: 'rouge_l', prediction: 'a b', references: ['a b'] }] };
const MiB = 1 << 20;

function frame(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flag, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

function session(address: string): ClientHttp2Session {
  return connectHttp2(`http://${address}`, { maxSendHeaderBlockLength: 4 * MiB }).on('error', () => {});
}

const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };

/** The grpc-status of a call below gRPC, or undefined where the server sent none. */
async function statusOf(
  address: string,
  body: Uint8Array,
  more: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  const connection = session(address);
  let status: string | undefined;
  const stream = connection.request({ ...headers, ...more });
  stream.on('error', () => {}).resume();
  for (const event of ['response', 'trailers'] as const) {
    stream.on(event, (received) => (status = received['grpc-status']?.toString() ?? status));
  }
  stream.end(body);
  await new Promise((resolve) => {
    stream.on('close', resolve);
    connection.on('close', resolve);
  });
  connection.destroy();
  return status;
}

describe('a service with hostile clients', () => {
  let service: RunningService;
  let client: RewardServiceStub;
  before(async () => {
    service = await startService('reward');
    client = connect(RewardServiceClient, service.address);
  });
  after(async () => {
    client.close();
    await service.stop();
  });

  const served = async (): Promise<void> => {
    assert.deepEqual((await callUnary(client, 'score', request, { timeoutMs: 60_000 })).scores, [1]);
  };
  const openFiles = (): number => readdirSync(`/proc/${service.process.pid}/fd`).length;
  /** The highest resident memory that was seen while `work` went on, less that of before. */
  const growth = async (work: () => Promise<void>): Promise<number> => {
    await served();
    const start = residentBytes(service);
    let highest = start;
    const watch = setInterval(() => (highest = Math.max(highest, residentBytes(service))), 5);
    await work().finally(() => clearInterval(watch));
    return Math.max(highest, residentBytes(service)) - start;
  };

  test('bombs and broken frames are refused within 64 MiB of memory, and the next call is served', async () => {
    const bomb = frame(gzipSync(Buffer.alloc(128 * MiB)), 1);
    const gzip = { 'grpc-encoding': 'gzip' };
    const grown = await growth(async () => {
      for (let n = 0; n < 3; n++) {
        assert.equal(await statusOf(service.address, bomb, gzip), '8');
        assert.equal(await statusOf(service.address, frame(Buffer.from('ffff', 'hex'), 0, 0xffffffff)), '8');
        assert.equal(await statusOf(service.address, frame(Buffer.alloc(3000, 0x0b))), '3');
      }
    });
    assert.ok(grown < 64 * MiB, `${(grown / MiB).toFixed(0)} MiB`);
    await served();
  });

  test('a message of a million empty items is refused for their number, within 128 MiB of memory', async () => {
    const items = frame(Buffer.alloc(2 * MiB, Buffer.from([0x0a, 0])));
    const grown = await growth(async () => {
      for (let n = 0; n < 3; n++) assert.equal(await statusOf(service.address, items), '3');
    });
    assert.ok(grown < 128 * MiB, `${(grown / MiB).toFixed(0)} MiB`);
    await served();
  });

  test('a flood of metadata is refused within 64 MiB of memory, and the next call is served', async () => {
    const flood = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x-flood-${i}`, 'y'.repeat(2000)]));
    const grown = await growth(async () => {
      for (let n = 0; n < 10; n++) assert.notEqual(await statusOf(service.address, frame(Buffer.alloc(0)), flood), '0');
    });
    assert.ok(grown < 64 * MiB, `${(grown / MiB).toFixed(0)} MiB`);
    await served();
  });

  test('a thousand connections that say nothing hinder nobody, and leave nothing', async () => {
    const [host, port] = service.address.split(':') as [string, string];
    const before = openFiles();
    const sockets = await Promise.all(
      Array.from({ length: 1000 }, async (): Promise<Socket> => {
        const socket = connectTcp(Number(port), host).on('error', () => {});
        await once(socket, 'connect');
        return socket;
      }),
    );
    await served();
    for (const socket of sockets) socket.destroy();
    while (openFiles() > before + 5) await sleep(10);
    await served();
  });

  test('who opens streams and resets them at once loses the connection, others are served meanwhile', async () => {
    const connection = session(service.address);
    await once(connection, 'connect');
    for (let n = 0; n < 400 && !connection.destroyed; n++) {
      for (let i = 0; i < 50 && !connection.destroyed; i++) {
        const stream = connection.request(headers).on('error', () => {});
        stream.close(constants.NGHTTP2_CANCEL);
      }
      await sleep(1);
      if (n % 50 === 0) await served();
    }
    while (!connection.destroyed) await sleep(10);
    await served();
    const gauge = `grpc_server_in_flight_calls{grpc_service="a2sf.reward.v1.RewardService",grpc_method="Score"}`;
    while ((await sampleOf(service, gauge)) !== 0) await sleep(10);
  });
});

test('without free file descriptors calls are served on the connections that are there, and new ones come in again later', async () => {
  const service = await startServiceIn({ shell: 'ulimit -n 256' }, 'reward');
  const [host, port] = service.address.split(':') as [string, string];
  const client = connect(RewardServiceClient, service.address);
  const served = async (by: RewardServiceStub): Promise<void> => {
    assert.deepEqual((await callUnary(by, 'score', request, { timeoutMs: 60_000 })).scores, [1]);
  };
  await served(client);
  const sockets = Array.from({ length: 300 }, () => connectTcp(Number(port), host).on('error', () => {}));
  const openFiles = (): number => readdirSync(`/proc/${service.process.pid}/fd`).length;
  while (openFiles() < 254) await sleep(10);
  await served(client);
  for (const socket of sockets) socket.destroy();
  // The name makes a channel of its own, which needs a connection of its own.
  const late = connect(RewardServiceClient, `ipv4:${service.address}`);
  await served(late);
  for (const each of [client, late]) each.close();
  await service.stop();
  assert.equal(service.process.exitCode, 0);
});
