import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { options as encoder } from '@a2sf/encoder-app';
import { options as generator } from '@a2sf/generator-app';
import { options as policy } from '@a2sf/policy-app';
import { options as reward } from '@a2sf/reward-app';
import { options as train } from '@a2sf/trainer-app';
import { checkPorts, defaultPorts } from './doctor-ports.js';

test('the default ports are those of the commands', () => {
  const of = (o: typeof encoder | typeof reward | typeof policy | typeof generator) => ({
    port: o.port.default,
    httpPort: o.httpPort.default,
  });
  assert.deepEqual(defaultPorts, {
    'serve encoder': of(encoder),
    'serve generator': of(generator),
    'serve reward': of(reward),
    'serve policy': of(policy),
    train: { httpPort: train.httpPort.default },
  });
});

test('a port that is taken is a warning that names its flag, unless a named service has it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const ports = { 'serve encoder': { port, httpPort: 0 } };
    const [taken, ...more] = await checkPorts([], ports);
    assert.deepEqual([taken?.check, taken?.verdict, more], [`port ${port}`, 'warning', []]);
    assert.match(taken?.message ?? '', /^in use; a2sf serve encoder listens there/);
    assert.match(taken?.fix ?? '', /a2sf serve encoder --port 0 /);
    assert.deepEqual(
      (await checkPorts([`127.0.0.1:${port}`], ports)).map(({ verdict }) => verdict),
      ['ok'],
    );
  } finally {
    server.close();
  }
  assert.deepEqual(
    (await checkPorts([], { train: { httpPort: port } })).map(({ verdict }) => verdict),
    ['ok'],
  );
});
