import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PolicyServiceClient, RewardServiceClient } from '@a2sf/contracts';
import { callUnary, connect } from '@a2sf/grpc-runtime';
import { startService, startServiceIn } from '../processes.js';
import { contextOf, experienceOf, smallPolicy } from './small-policy.js';

/** Runs in the process before anything else: its clock is set an hour ahead and back every few milliseconds. */
const jumpingClock = `
  const Real = Date;
  let shift = 0;
  let jumps = 0;
  setInterval(() => { shift = [3600000, -3600000, 0][jumps++ % 3]; }, 7).unref();
  globalThis.Date = class extends Real {
    constructor(...given) { if (given.length > 0) super(...given); else super(Real.now() + shift); }
    static now() { return Real.now() + shift; }
  };`;

describe('a service in bad surroundings', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'a2sf-surroundings-'));
  const checkpoint = join(scratch, 'policy_0.safetensors');
  before(() => writeFileSync(checkpoint, smallPolicy()));
  after(() => rmSync(scratch, { recursive: true }));

  test('whose clock is set an hour ahead and back all the time keeps its deadlines and the order of its log', async () => {
    const preload = join(scratch, 'clock.mjs');
    writeFileSync(preload, jumpingClock);
    const service = await startServiceIn(
      { env: { NODE_OPTIONS: `--import=${preload}` } },
      'policy',
      '--checkpoint',
      checkpoint,
      '--log_level',
      'debug',
      '--state_dir',
      join(scratch, 'clock'),
    );
    let log = '';
    service.process.stderr!.setEncoding('utf8').on('data', (text: string) => (log += text));
    const client = connect(PolicyServiceClient, service.address);
    for (let n = 0; n < 60; n++) {
      const options = { timeoutMs: 60_000 };
      const { decisionId } = await callUnary(client, 'selectAction', { embedding: contextOf(n) }, options);
      assert.notEqual(decisionId, undefined);
      await callUnary(client, 'update', { updateId: `u${n}`, experiences: [experienceOf(n)] }, options);
    }
    client.close();
    await service.stop();
    assert.equal(service.process.exitCode, 0);
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { seq: number; time: string });
    assert.ok(lines.length >= 120);
    for (const [i, { seq }] of lines.entries()) assert.equal(seq - lines[0]!.seq, i);
    const times = lines.map(({ time }) => Date.parse(time));
    assert.ok(
      times.some((time, i) => i > 0 && time < times[i - 1]! - 1_800_000),
      'the clock went back',
    );
  });

  test('whose log nobody reads answers its calls and ends', async () => {
    const pipe = join(scratch, 'log');
    execFileSync('mkfifo', [pipe]);
    const end = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    assert.throws(
      () => {
        for (;;) writeSync(end, Buffer.alloc(4096));
      },
      { code: 'EAGAIN' },
      'the pipe is full',
    );
    const service = await startServiceIn({ shell: `exec 2>'${pipe}'` }, 'reward', '--log_level', 'trace');
    const client = connect(RewardServiceClient, service.address);
    const one = () => callUnary(client, 'listMetrics', {}, { timeoutMs: 60_000 });
    for (let n = 0; n < 3; n++) await Promise.all(Array.from({ length: 50 }, one));
    client.close();
    await service.stop();
    closeSync(end);
    assert.equal(service.process.exitCode, 0);
  });

  test('whose metrics are asked for by someone who never reads them answers its calls and ends', async () => {
    const service = await startService('reward');
    const { hostname, port } = new URL(service.http);
    const readers = Array.from({ length: 5 }, () => {
      const socket = connectTcp(Number(port), hostname)
        .on('error', () => {})
        .pause();
      for (let n = 0; n < 30; n++) socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
      return socket;
    });
    const client = connect(RewardServiceClient, service.address);
    for (let n = 0; n < 20; n++) await callUnary(client, 'listMetrics', {}, { timeoutMs: 60_000 });
    client.close();
    const exit = once(service.process, 'exit');
    service.process.kill('SIGTERM');
    assert.deepEqual(await exit, [0, null]);
    for (const socket of readers) socket.destroy();
  });
});
