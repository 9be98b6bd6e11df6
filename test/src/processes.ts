import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './conformance/workspace.js';

export const a2sf = join(root, 'apps/cli/bin/a2sf.js');
export const fixtures = join(root, 'test/fixtures');

/** A service of the suite, running as a process of its own. */
export interface RunningService {
  readonly address: string;
  readonly http: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** What a service is started in. */
export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** A command of the shell that is run first, in the process that becomes the service: `ulimit -n 64`. */
  readonly shell?: string;
}

/** Starts `a2sf serve <name>`, without `--port` on a free one, and waits for its line. The process dies with this one. */
export function startService(name: string, ...flags: string[]): Promise<RunningService> {
  return startServiceIn({}, name, ...flags);
}

/** The same in surroundings of its own. */
export async function startServiceIn(
  { env = {}, shell }: Surroundings,
  name: string,
  ...flags: string[]
): Promise<RunningService> {
  const anyPort = flags.includes('--port') ? [] : ['--port', '0'];
  const command = [process.execPath, a2sf, 'serve', name, ...anyPort, '--http_port', '0', '--log_level', 'error'];
  const [program, ...args] = [
    ...(shell === undefined ? [] : ['/bin/sh', '-c', `${shell}; exec "$@"`, 'sh']),
    ...command,
    ...flags,
  ];
  const child = spawn(program!, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
  });
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const lines = createInterface({ input: child.stdout! });
  const line = await Promise.race([
    once(lines, 'line').then(([first]) => first as string),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${code}: ${errors}`);
    }),
  ]);
  const { port, httpPort } = JSON.parse(line) as { port: number; httpPort: number };
  return {
    address: `127.0.0.1:${port}`,
    http: `http://127.0.0.1:${httpPort}`,
    process: child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The value of a series of a service, by its name with its labels; 0 where there is none. */
export async function sampleOf({ http }: RunningService, series: string): Promise<number> {
  const text = await (await fetch(`${http}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}

/** Resident memory of a process in bytes. */
export function residentBytes({ process: { pid } }: RunningService): number {
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `a2sf` to its end. */
export async function runA2sf(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const child = spawn(process.execPath, [a2sf, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}
