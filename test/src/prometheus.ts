import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** A port of the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

/** A rule as a server tells of it. */
export interface LoadedRule {
  readonly name: string;
  /** `unknown` until its first evaluation. */
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
}

/** A Prometheus server of this machine. */
export interface RunningPrometheus {
  /** The values of an instant query; none while it is not up. Rejects for a query that it does not understand. */
  query(expression: string): Promise<number[]>;
  rules(): Promise<LoadedRule[]>;
  stop(): Promise<void>;
}

/** Starts a server with a configuration and a file `rules.yaml` beside it, both below a folder. */
export async function startPrometheus(folder: string, config: string, rules: string): Promise<RunningPrometheus> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'prometheus.yml'), config);
  writeFileSync(join(folder, 'rules.yaml'), rules);
  const address = `127.0.0.1:${await freePort()}`;
  const flags = ['--config.file=prometheus.yml', '--storage.tsdb.path=tsdb', `--web.listen-address=${address}`];
  const child = spawn('prometheus', flags, { cwd: folder, stdio: 'ignore' });
  const ask = async (path: string): Promise<unknown> => {
    if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}`);
    const response = await fetch(`http://${address}/api/v1/${path}`).catch(() => undefined);
    if (response === undefined || response.status === 503) return undefined; // not up yet
    const answer = (await response.json()) as { status: string; error?: string; data: unknown };
    if (answer.status !== 'success') throw new Error(`prometheus: ${answer.error}`);
    return answer.data;
  };
  return {
    async query(expression) {
      const data = (await ask(`query?query=${encodeURIComponent(expression)}`)) as
        { readonly result: readonly { readonly value: readonly [number, string] }[] } | undefined;
      return (data?.result ?? []).map(({ value }) => Number(value[1]));
    },
    async rules() {
      const data = (await ask('rules')) as { readonly groups: readonly { readonly rules: LoadedRule[] }[] } | undefined;
      return (data?.groups ?? []).flatMap((group) => group.rules);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill();
      await exit;
    },
  };
}
