import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RewardServiceClient } from '@a2sf/contracts';
import { callUnary } from './calls.js';
import { connect } from './channel.js';
import { refusal, until, withReward } from './loopback.fixture.js';
import { waitUntilServing } from './wait-until-serving.js';

const program = fileURLToPath(new URL('./reward-process.fixture.js', import.meta.url));

/** Starts the process; resolves with its ready line. */
async function start(
  ...argv: string[]
): Promise<{ child: ChildProcess; address: string; ready: Record<string, unknown> }> {
  const child = spawn(process.execPath, [program, '--log_level', 'silent', ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const ready = JSON.parse(line) as Record<string, unknown>;
  return { child, address: `127.0.0.1:${String(ready['port'])}`, ready };
}

/** True when a call of Score is in work, by the process's own metrics. */
async function inWork(ready: Record<string, unknown>): Promise<boolean> {
  const text = await (await fetch(`http://127.0.0.1:${String(ready['httpPort'])}/metrics`)).text();
  return /^grpc_server_in_flight_calls\{.*grpc_method="Score"\} 1$/m.test(text);
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a serving process', () => {
  test('prints one line when it listens, and ends with 0 after SIGTERM', async () => {
    const { child, address, ready } = await start();
    assert.deepEqual(Object.keys(ready), ['service', 'port', 'httpPort']);
    assert.equal(ready['service'], 'reward');
    await waitUntilServing(address, { timeoutMs: 10_000 });
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  test('finishes a call in work after SIGINT', async () => {
    const { child, address, ready } = await start();
    const client = connect(RewardServiceClient, address);
    await callUnary(client, 'listMetrics', {});
    const call = callUnary(client, 'score', { items: [{ prediction: '300' }] });
    await until(() => inWork(ready));
    child.kill('SIGINT');
    assert.deepEqual((await call).scores, [1]);
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    client.close();
  });

  test('ends at once at the second signal', async () => {
    const { child, address, ready } = await start();
    const client = connect(RewardServiceClient, address);
    await callUnary(client, 'listMetrics', {});
    const call = refusal(callUnary(client, 'score', { items: [{ prediction: '100000000' }] }));
    await until(() => inWork(ready));
    const again = setInterval(() => child.kill('SIGTERM'), 20);
    assert.deepEqual(await once(child, 'exit'), [143, null]);
    clearInterval(again);
    assert.equal((await call).code, 'UNAVAILABLE');
    client.close();
  });

  test('ends when the parent that spawned it with a channel is killed', async () => {
    const parent = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { fork } from 'node:child_process';
         const child = fork(${JSON.stringify(program)}, ['--log_level', 'silent'], { execArgv: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
         child.stdout.once('data', () => console.log(child.pid));`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const pid = Number(line);
    assert.ok(alive(pid));
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await until(() => !alive(pid));
  });

  test('whose port is in use ends with 1 and one line', async () => {
    await withReward({}, async (_client, { port }) => {
      const child = spawn(process.execPath, [program, '--port', String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
      const [stderr, [code]] = await Promise.all([child.stderr.toArray(), once(child, 'exit')]);
      assert.equal(code, 1);
      assert.equal(
        Buffer.concat(stderr as Buffer[]).toString(),
        `reward: --port: 127.0.0.1:${port} is already in use\n`,
      );
    });
  });
});
