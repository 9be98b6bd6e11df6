// A generator in a process of its own, as the benchmarks use it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { serviceRuntime } from '@a2sf/cli';
import { GeneratorServiceClient } from '@a2sf/contracts';
import { callServerStream, callUnary, connect } from '@a2sf/grpc-runtime';

const a2sf = fileURLToPath(new URL('../apps/cli/bin/a2sf.js', import.meta.url));
const timeoutMs = 3_600_000;

/** Flags of a process whose garbage `collect` can collect. */
export const collecting = ['--expose-gc', '--import', new URL('generator/collect-on-signal.mjs', import.meta.url).href];

const { nodeFlags: serviceFlags, environment } = serviceRuntime.generator;

/** Starts `a2sf serve generator` with these flags; without `modelName` it serves the embedded model. */
export async function startGenerator({ modelName, threads, flags = [], nodeFlags = [] }) {
  const model = modelName === undefined ? [] : ['--model_name', modelName];
  const own = ['--port', '0', '--http_port', '0', '--log_level', 'error', '--threads', String(threads)];
  const child = spawn(
    process.execPath,
    [...serviceFlags, ...nodeFlags, a2sf, 'serve', 'generator', ...own, ...model, ...flags],
    {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: { ...process.env, ...environment },
    },
  );
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const client = connect(GeneratorServiceClient, `127.0.0.1:${JSON.parse(line).port}`);
  const info = await callUnary(client, 'getInfo', {});

  /** Token ids 3 + (i * 7919) mod (vocab - 3), shifted by `salt`: the peers' scripts make the same ones. */
  const ids = (length, salt = 0) =>
    Array.from({ length }, (_, i) => 3 + (((i + salt) * 7919 + salt) % (info.vocab - 3)));

  /** One text of `maxNewTokens` tokens: its usage, and when each piece arrived. */
  async function generate(length, { compression, maxNewTokens, salt }) {
    const prompt = { tokenIds: { ids: ids(length, salt) } };
    const request = { prompt, compression, maxNewTokens, ignoreEos: true };
    const arrivals = [];
    let usage;
    for await (const piece of callServerStream(client, 'generate', request, { timeoutMs })) {
      if (piece.tokenIds.length > 0) arrivals.push({ at: performance.now(), tokens: piece.tokenIds.length });
      usage = piece.usage ?? usage;
    }
    return { ...usage, arrivals };
  }

  /** A field of /proc/PID/status in MB: `VmRSS`, what is resident now, or `VmHWM`, the most there ever was. */
  const memory = (field) => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)[1]) / 1024;
  };

  /** Collects the garbage of a generator that was started with `nodeFlags: collecting`. */
  async function collect() {
    child.kill('SIGUSR2');
    await delay(1000);
  }

  async function stop() {
    client.close();
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  return { client, info, ids, generate, memory, collect, stop, timeoutMs };
}
