import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { resolveOptions } from '@a2sf/config';
import { waitUntilServing } from '@a2sf/grpc-runtime';
import { options } from '@a2sf/trainer-app';
import { startLocalSuite } from './local-suite.js';

const never = new AbortController().signal;
const valuesOf = (argv: readonly string[]) => resolveOptions({ name: 't', description: '' }, options, argv, {}).values;

async function isServing(address: string): Promise<boolean> {
  return waitUntilServing(address, { timeoutMs: 300 }).then(
    () => true,
    () => false,
  );
}

test('a local suite serves one generator per entry of --gpus, and nothing of it is left when it is stopped', async () => {
  const suite = await startLocalSuite(valuesOf(['--gpus', '0', '1', '--device', 'cpu', '--threads', '1']), never);
  const { encoder, reward, policy, generators } = suite.addresses;
  const all = [encoder, reward, policy, ...generators];
  assert.equal(generators.length, 2);
  assert.deepEqual(await Promise.all(all.map(isServing)), [true, true, true, true, true]);
  assert.equal(suite.failure(), undefined);
  await Promise.all([suite.stop(), suite.stop()]);
  assert.deepEqual(await Promise.all(all.map(isServing)), [false, false, false, false, false]);
  assert.equal(suite.failure(), undefined);
});

test('a service that cannot start is told in its own words', async () => {
  await assert.rejects(startLocalSuite(valuesOf(['--model_name', 'no-such-model']), never), {
    code: 'FAILED_PRECONDITION',
    message: /^generator: --model_name: "no-such-model" is neither a preset/,
  });
  await assert.rejects(startLocalSuite(valuesOf(['--gpus', '0']), never), { message: /run with --device cpu$/ });
});

test('a stop while the services start leaves none of them', async () => {
  const controller = new AbortController();
  const starting = startLocalSuite(valuesOf([]), controller.signal);
  await delay(200);
  controller.abort(new Error('enough'));
  await assert.rejects(starting);
});

test('the services of a process that was killed end by themselves', async () => {
  const script = `
    import { startLocalSuite } from ${JSON.stringify(new URL('./local-suite.js', import.meta.url).href)};
    const options = JSON.parse(process.argv[1]);
    const suite = await startLocalSuite(options, new AbortController().signal);
    console.log(JSON.stringify(suite.addresses));
    setInterval(() => {}, 1000);`;
  const argv = ['--input-type=module', '-e', script, JSON.stringify(valuesOf(['--threads', '1']))];
  const parent = spawn(process.execPath, argv, {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const { encoder, reward, policy, generators } = JSON.parse(String(line)) as Record<string, string> & {
    readonly generators: string[];
  };
  const all = [encoder!, reward!, policy!, ...generators];
  assert.deepEqual(await Promise.all(all.map(isServing)), [true, true, true, true]);
  parent.kill('SIGKILL');
  await once(parent, 'close');
  // Polled without a bound on the time: the runner has one.
  while ((await Promise.all(all.map(isServing))).includes(true)) await delay(100);
});
