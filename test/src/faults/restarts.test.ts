import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { a2sf, startService, type RunningService } from '../processes.js';
import { TcpProxy } from './tcp-proxy.js';

const scratch = mkdtempSync(join(tmpdir(), 'a2sf-restarts-'));
const names = ['encoder', 'generator', 'reward', 'policy'] as const;
type Name = (typeof names)[number];

/** The four services, each behind an address that stays while processes come and go. */
const services = new Map<Name, RunningService>();
const proxies = new Map<Name, TcpProxy>();

function start(name: Name): Promise<RunningService> {
  const state = name === 'policy' ? ['--state_dir', join(scratch, 'state')] : [];
  return startService(name, ...(name === 'generator' ? ['--threads', '1'] : []), ...state);
}

before(async () => {
  await Promise.all(
    names.map(async (name) => {
      const service = await start(name);
      services.set(name, service);
      proxies.set(name, await TcpProxy.to(service.address));
    }),
  );
});
after(async () => {
  for (const proxy of proxies.values()) await proxy.close();
  await Promise.all([...services.values()].map((service) => service.stop()));
  rmSync(scratch, { recursive: true, force: true });
});

type Line = Record<string, unknown>;
const progress = (folder: string): Line[] => {
  const file = join(folder, 'progress.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => ({ ...(JSON.parse(line) as Line), seconds: undefined }));
};

interface Running {
  readonly folder: string;
  readonly process: ChildProcess;
  readonly http: string;
  /** All that it wrote. */
  output(): string;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function train(name: string, iterations: number): Promise<Running> {
  const folder = join(scratch, name);
  const port = await freePort();
  const addressOf = (each: Name): string => proxies.get(each)!.address;
  const services = `--encoder ${addressOf('encoder')} --generators ${addressOf('generator')}`;
  const others = `--reward_service ${addressOf('reward')} --policy ${addressOf('policy')}`;
  const run = `--save_dir ${folder} --iterations ${iterations} --episodes_per_update 2 --log_frequency 1 --seed 7`;
  const rest = `--eval_samples 1 --budget 64 --reward rouge_l --ucb_beta 0.02 --max_new_tokens 4 --http_port ${port}`;
  const flags = [services, others, run, rest].flatMap((line) => line.split(' '));
  const child = spawn(process.execPath, [a2sf, 'train', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return { folder, process: child, http: `http://127.0.0.1:${port}`, output: () => output };
}

const status = async (url: string): Promise<number> => (await fetch(url)).status;

/** Waits until the run has logged so many iterations. */
async function reached(run: Running, iterations: number): Promise<void> {
  while (progress(run.folder).length < iterations) {
    assert.equal(run.process.exitCode, null, run.output());
    await sleep(5);
  }
}

async function revive(name: Name): Promise<void> {
  const service = await start(name);
  services.set(name, service);
  proxies.get(name)!.target = service.address;
}

test('a run whose only generator is killed, and whose policy service is restarted, waits for them and ends as one that was never disturbed', async () => {
  const undisturbed = await train('undisturbed', 4);
  const [code] = (await once(undisturbed.process, 'exit')) as [number];
  assert.equal(code, 0, undisturbed.output());

  const run = await train('disturbed', 4);
  const exit = once(run.process, 'exit') as Promise<[number | null]>;
  await reached(run, 1);
  // The only generator is killed: the run is alive and not ready until there is one again.
  services.get('generator')!.process.kill('SIGKILL');
  while ((await status(`${run.http}/readyz`)) === 200) await sleep(5);
  assert.equal(await status(`${run.http}/healthz`), 200);
  await revive('generator');
  await reached(run, 2);
  // Encoder and reward take the same path as the policy; they cost two processes more.
  const others =
    process.env['A2SF_LONG_TESTS'] === '1' ? (['policy', 'encoder', 'reward'] as const) : (['policy'] as const);
  await Promise.all(
    others.map((name) =>
      services
        .get(name)!
        .stop()
        .then(() => revive(name)),
    ),
  );
  const [ended] = await exit;
  assert.equal(ended, 0, run.output());
  assert.deepEqual(progress(run.folder), progress(undisturbed.folder));
  assert.match(run.output(), /waiting for a service/);
});
