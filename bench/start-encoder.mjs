// An encoder in a process of its own, as the benchmarks use it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { serviceRuntime } from '@a2sf/cli';
import { EncoderServiceClient } from '@a2sf/contracts';
import { callUnary, connect } from '@a2sf/grpc-runtime';

const a2sf = fileURLToPath(new URL('../apps/cli/bin/a2sf.js', import.meta.url));
const timeoutMs = 600_000;

/** Starts `a2sf serve encoder` with these flags; without `modelName` it serves the embedded model. */
export async function startEncoder({ modelName, threads, flags = [] }) {
  const model = modelName === undefined ? [] : ['--model_name', modelName];
  const own = ['--port', '0', '--http_port', '0', '--log_level', 'error', '--threads', String(threads)];
  const { nodeFlags, environment } = serviceRuntime.encoder;
  const child = spawn(process.execPath, [...nodeFlags, a2sf, 'serve', 'encoder', ...own, ...model, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const address = `127.0.0.1:${JSON.parse(line).port}`;
  const client = connect(EncoderServiceClient, address);
  const describe = () => callUnary(client, 'getInfo', {});
  const info = await describe();
  const encode = (texts) => {
    const inputs = texts.map((text) => ({ text }));
    return callUnary(client, 'encode', { inputs }, { timeoutMs });
  };

  async function stop() {
    client.close();
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  return { address, info, describe, encode, stop };
}
