// How long one call takes whose answer is in the cache: measured from a process of its own, which has room for its garbage,
// so that what is measured is the service.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { EncoderServiceClient } from '@a2sf/contracts';
import { callUnary, connect } from '@a2sf/grpc-runtime';
import { startEcho } from '../start-echo.mjs';

const self = fileURLToPath(import.meta.url);
/** Calls until the compilers of both processes are done with them. */
const warmCalls = 10_000;

/**
 * Milliseconds of `calls` calls each: `cached` of Encode with one of the texts, all of which the encoder has in its cache;
 * `empty` of GetInfo; `echo` of an embedding's bytes through a bare socket of another process, what the machine itself takes.
 */
export async function cachedLatencies(address, texts, dimension, calls) {
  const child = fork(self, { execArgv: ['--max-semi-space-size=1024'] });
  child.send({ address, texts, dimension, calls });
  const [latencies] = await once(child, 'message');
  await once(child, 'exit');
  return latencies;
}

async function measure({ address, texts, dimension, calls }) {
  const client = connect(EncoderServiceClient, address);
  const echo = await startEcho();
  const kinds = {
    cached: (i) => callUnary(client, 'encode', { inputs: [{ text: texts[i % texts.length] }] }),
    empty: () => callUnary(client, 'getInfo', {}),
    echo: () => echo.send(4 * dimension),
  };
  const latencies = {};
  for (const [kind, call] of Object.entries(kinds)) {
    const times = [];
    for (let i = 0; i < warmCalls + calls; i++) {
      const start = performance.now();
      await call(i);
      if (i >= warmCalls) times.push(performance.now() - start);
    }
    latencies[kind] = times;
  }
  echo.stop();
  client.close();
  process.send(latencies, () => process.disconnect());
}

if (process.argv[1] === self) process.once('message', (task) => void measure(task));
