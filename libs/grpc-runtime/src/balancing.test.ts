import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

// grpc-js asks a name server of its own choice only when told so before it is loaded.
process.env['GRPC_NODE_USE_ALTERNATIVE_RESOLVER'] = 'true';
const { RewardServiceClient } = await import('@a2sf/contracts');
const { callUnary } = await import('./calls.js');
const { connect } = await import('./channel.js');
const { until } = await import('./loopback.fixture.js');

const program = fileURLToPath(new URL('./reward-process.fixture.js', import.meta.url));

/** A name server that answers every A query with the addresses of the moment, as a headless Service's does. */
async function nameServer(addresses: () => readonly string[]): Promise<{ port: number; close: () => void }> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    let end = 12;
    while (query[end] !== 0) end += query[end]! + 1;
    const question = query.subarray(12, end + 5);
    const found = question.readUInt16BE(question.length - 4) === 1 ? addresses() : [];
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    for (const [i, word] of [0x8180, 1, found.length, 0, 0].entries()) header.writeUInt16BE(word, 2 + 2 * i);
    const records = found.map((address) =>
      // The question's name; A, IN, 0 s, 4 bytes.
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
    );
    socket.send(Buffer.concat([header, question, ...records]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, close: () => socket.close() };
}

async function start(host: string, port: number): Promise<{ child: ChildProcess; port: number }> {
  const age = ['--max_connection_age_ms', '1000'];
  const child = spawn(
    process.execPath,
    [program, '--log_level', 'silent', '--host', host, '--port', String(port), ...age],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, port: (JSON.parse(line) as { port: number }).port };
}

const skip = process.platform === 'linux' ? false : 'needs all of 127.0.0.0/8, as on Linux';

test('calls reach processes that come, and none fails when one goes', { skip }, async () => {
  const pods: string[] = ['127.0.0.11'];
  const dns = await nameServer(() => pods);
  const first = await start(pods[0]!, 0);
  const { port } = first;
  const children = [first.child];
  const client = connect(RewardServiceClient, `dns://127.0.0.1:${dns.port}/reward.test:${port}`);
  const failures: unknown[] = [];
  const served = new Map<string, number>();
  const ended = new AbortController();
  const load = (async () => {
    while (!ended.signal.aborted) {
      await callUnary(client, 'listMetrics', {}, { timeoutMs: 30_000 }).then(
        ({ metrics: [host] }) => served.set(host!, (served.get(host!) ?? 0) + 1),
        (error: unknown) => failures.push(error),
      );
      await delay(5);
    }
  })();
  const reached = (host: string): Promise<void> => {
    const before = served.get(host) ?? 0;
    return until(() => (served.get(host) ?? 0) > before + 10);
  };
  try {
    await reached('127.0.0.11');
    // A pod that comes: the first one asks its client to connect anew, the client asks for the name again.
    children.push((await start('127.0.0.12', port)).child);
    pods.push('127.0.0.12');
    await Promise.all([reached('127.0.0.12'), reached('127.0.0.11')]);
    // A pod that goes, and another that comes in its place.
    children.push((await start('127.0.0.13', port)).child);
    pods.splice(0, 1, '127.0.0.13');
    const gone = once(first.child, 'exit');
    first.child.kill('SIGTERM');
    assert.deepEqual(await gone, [0, null]);
    const last = served.get('127.0.0.11');
    await Promise.all([reached('127.0.0.12'), reached('127.0.0.13')]);
    assert.equal(served.get('127.0.0.11'), last);
  } finally {
    ended.abort();
    await load;
    client.close();
    dns.close();
    for (const child of children) child.kill('SIGKILL');
  }
  assert.deepEqual(failures, []);
});
