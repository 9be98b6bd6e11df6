// While sweeps run on a model, do health checks and /metrics still answer? Prints median, p99 and maximum in milliseconds.
//
//   npm run build && node bench/responsiveness.mjs --model_name DIR [--seconds 20] [--tokens 1024] [--write]
//
// --write puts the table into docs/benchmarks.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GeneratorServiceClient } from '@a2sf/contracts';
import { callUnary, connect, waitUntilServing } from '@a2sf/grpc-runtime';
import { writeBlock } from './write-block.mjs';

const { values } = parseArgs({
  options: {
    model_name: { type: 'string' },
    seconds: { type: 'string', default: '20' },
    tokens: { type: 'string', default: '1024' },
    write: { type: 'boolean', default: false },
  },
});
const a2sf = fileURLToPath(new URL('../apps/cli/bin/a2sf.js', import.meta.url));
const model = values.model_name === undefined ? [] : ['--model_name', values.model_name];
const flags = ['--port', '0', '--http_port', '0', '--log_level', 'error', ...model];
const child = spawn(process.execPath, [a2sf, 'serve', 'generator', ...flags], {
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
});
const [line] = await once(createInterface({ input: child.stdout }), 'line');
const { port, httpPort } = JSON.parse(line);
const address = `127.0.0.1:${port}`;
const client = connect(GeneratorServiceClient, address);
const { vocab, model: name } = await callUnary(client, 'getInfo', {});
const ids = Array.from({ length: Number(values.tokens) }, (_, i) => 3 + ((i * 7919) % (vocab - 3)));
const request = { prompt: { tokenIds: { ids } }, budget: 128, maxNewTokens: 16, ignoreEos: true, includeFull: true };
await callUnary(client, 'sweep', request);

const end = performance.now() + Number(values.seconds) * 1000;
let sweeps = 0;
const sweeping = (async () => {
  while (performance.now() < end) {
    await callUnary(client, 'sweep', request);
    sweeps++;
  }
})();
const probe = async (ask) => {
  const times = [];
  while (performance.now() < end) {
    const start = performance.now();
    await ask();
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return times.sort((x, y) => x - y);
};
const [health, metrics] = await Promise.all([
  probe(() => waitUntilServing(address, { timeoutMs: 10_000 })),
  probe(async () => (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()),
  sweeping,
]);
const row = (what, times) => {
  const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))].toFixed(1);
  return `| ${what} | ${times.length} | ${at(0.5)} | ${at(0.99)} | ${at(1)} |`;
};
const machine = `Node ${process.versions.node}, ${availableParallelism()} cores`;
const block = [
  `${name}, prompts of ${ids.length} tokens, ${sweeps} sweeps of sixty actions in ${values.seconds} s (${machine}):`,
  '',
  '| while sweeping | calls | median ms | p99 ms | max ms |',
  '| --- | --- | --- | --- | --- |',
  row('grpc.health.v1 Check', health),
  row('GET /metrics', metrics),
].join('\n');
console.log(block);
if (values.write) {
  writeBlock('docs/benchmarks.md', 'responsiveness', 'bench/responsiveness.mjs', block);
}
client.close();
child.kill();
await once(child, 'exit');
