// How fast does the policy service answer? 60 actions, 768 -> 512 -> 512, through gRPC against a service in a process of its
// own, with a kept state.
//
//   npm run build && node bench/policy.mjs [--calls 400] [--seconds 5] [--write]
//
// While 32 clients call, the service has one core (taskset) and the clients have the others. --write puts the table into docs/benchmarks.md.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeGenericClientConstructor } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { NeuralUcb } from '@a2sf/bandit';
import { PolicyServiceClient } from '@a2sf/contracts';
import { callClientStream, callServerStream, callUnary, connect } from '@a2sf/grpc-runtime';
import { ActionSpace } from '@a2sf/kv-compression';
import { Random } from '@a2sf/random';
import { decodePolicyCheckpoint, encodePolicyCheckpoint } from '@a2sf/run-store';

const { values: flags } = parseArgs({
  options: {
    calls: { type: 'string', default: '400' },
    seconds: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
});
const dimension = 768;
const space = ActionSpace.default;
const random = new Random(1);
const embeddings = Array.from({ length: 256 }, () => ({
  values: Array.from({ length: dimension }, () => Math.fround(2 * random.uniform() - 1)),
}));
const folder = mkdtempSync(join(tmpdir(), 'a2sf-bench-'));
const checkpoint = join(folder, 'policy_0.safetensors');

const agent = NeuralUcb.initial({ space, dimension, seed: 1 });
const batch = embeddings.map(({ values }, n) => ({
  context: Float32Array.from(values),
  actionIndex: n % space.size,
  reward: random.uniform(),
}));
agent.update(batch, { lr: 3e-4, maxGradNorm: 1 }); // every action has a matrix of its own from here on
const hyperParameters = { lr: 3e-4, ucbBeta: 1, uncertaintyCoef: 0.1, maxGradNorm: 1 };
const origin = { iteration: 1, policyVersion: 1, encoderId: '', configHash: '', randomState: '' };
writeFileSync(checkpoint, encodePolicyCheckpoint({ state: agent.state(), hyperParameters, ...origin }));

const main = fileURLToPath(new URL('../apps/policy/dist/main.js', import.meta.url));
const argv = [process.execPath, main, '--port', '0', '--http_port', '0', '--log_level', 'error'];
const state = ['--state_dir', join(folder, 'state'), '--checkpoint', checkpoint];
const [program, ...rest] = [...argv, ...state, '--max_message_bytes', String(16 << 20)];
async function start() {
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, address: `127.0.0.1:${JSON.parse(line).port}` };
}

/** Resident memory in MB, a while after the last call. */
async function residentOf({ pid }) {
  await new Promise((resolve) => setTimeout(resolve, 5000));
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

const { child, address } = await start();
const client = connect(PolicyServiceClient, address, { maxMessageBytes: 16 << 20 });
const health = connect(makeGenericClientConstructor(healthService, 'Health'), address);

const echo = () => callUnary(health, 'check', { service: '' });
const select = (i, explore) => callUnary(client, 'selectAction', { embedding: embeddings[i % 256], explore });

async function timesOf(count, call) {
  const times = [];
  for (let i = -20; i < count; i++) {
    const start = performance.now();
    await call(Math.abs(i));
    if (i >= 0) times.push(performance.now() - start);
  }
  return times.sort((x, y) => x - y);
}
const at = (times, share) => times[Math.min(times.length - 1, Math.floor(share * times.length))];

/** Calls a second that `clients` clients get which each send the next call when the last is answered. */
async function throughput(clients, call) {
  const end = performance.now() + Number(flags.seconds) * 1000;
  let done = 0;
  const loop = async (first) => {
    for (let i = first; performance.now() < end; i += clients) {
      await call(i);
      done++;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, i) => loop(i)));
  return done / Number(flags.seconds);
}

/** Moves all threads of a process to some cores, `0-3`; false where that cannot be done. */
function pin(pid, cores) {
  return spawnSync('taskset', ['-a', '-c', '-p', cores, String(pid)]).status === 0;
}
const last = cpus().length - 1;

const calls = Number(flags.calls);
const load = loadavg()[0].toFixed(1);
const echoes = await timesOf(calls, echo);
const still = await timesOf(calls, (i) => select(i, false));
const exploring = await timesOf(Math.ceil(calls / 2), (i) => select(i, true));
const isPinned = last > 0 && pin(child.pid, '0') && pin(process.pid, `1-${last}`);
const echoRate = await throughput(32, echo);
const rate = await throughput(32, (i) => select(i, false));
for (const { pid } of isPinned ? [child, process] : []) pin(pid, `0-${last}`);
let updates = 0;
const updating = await timesOf(12, () => {
  const n = updates++;
  const experiences = embeddings.map((embedding, i) => ({
    id: `${n}-${i}`,
    embedding,
    actionIndex: i % space.size,
    reward: batch[i].reward,
  }));
  return callUnary(client, 'update', { updateId: `u${n}`, experiences }, { timeoutMs: 60_000 });
});

/** The policy as it is now, but for its name, as the challenger. */
async function importChallenger() {
  const chunks = [];
  for await (const { data } of callServerStream(client, 'exportCheckpoint', {}, { timeoutMs: 60_000 }))
    chunks.push(data);
  const bytes = Buffer.concat(chunks);
  if (decodePolicyCheckpoint(bytes).checkpoint.state.agent !== 'neural-ucb') throw new Error('another agent');
  const pieces = Array.from({ length: Math.ceil(bytes.length / 262_144) }, (_, i) => ({
    data: bytes.subarray(i * 262_144, (i + 1) * 262_144),
    challenger: i === 0,
  }));
  await callClientStream(client, 'importCheckpoint', pieces, { timeoutMs: 60_000 });
}
await importChallenger();
await timesOf(200, (i) => select(i, true));
const imported = await residentOf(child);
child.kill();
await once(child, 'exit');
const again = await start();
const restarted = await residentOf(again.child);

const above = (times, share) => (at(times, share) - at(echoes, share)).toFixed(1);
const machine = `Node ${process.versions.node}, ${cpus()[0].model.trim()}, ${availableParallelism()} cores`;
const where = isPinned ? ', the service on one core' : '';
const block = [
  `60 actions, 768 -> 512 -> 512 (${machine}, load average ${load} before; clients on the same machine; an echo is grpc.health.v1 Check: ` +
    `p50 ${at(echoes, 0.5).toFixed(1)} ms, p99 ${at(echoes, 0.99).toFixed(1)} ms, ${echoRate.toFixed(0)} a second from 32 clients${where}):`,
  '',
  '| what | measured | wanted |',
  '| --- | --- | --- |',
  `| SelectAction, explore false, p50 / p99 above an echo | ${above(still, 0.5)} / ${above(still, 0.99)} ms | 2 / 5 ms |`,
  `| SelectAction, explore true, p50 / p99 above an echo | ${above(exploring, 0.5)} / ${above(exploring, 0.99)} ms | 10 / 20 ms |`,
  `| SelectAction, explore false, 32 clients${where} | ${rate.toFixed(0)} a second | 1,000 |`,
  `| Update of 256 experiences, durable, median | ${at(updating, 0.5).toFixed(0)} ms | 500 ms |`,
  `| resident memory, a challenger beside the policy, after a start | ${restarted.toFixed(0)} MB | 250 MB |`,
  `| the same, after the challenger was sent | ${imported.toFixed(0)} MB | 250 MB |`,
].join('\n');
console.log(block);
if (flags.write) {
  const file = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));
  const [begin, end] = ['<!-- policy: written by bench/policy.mjs -->', '<!-- end of policy -->'];
  const text = readFileSync(file, 'utf8');
  const before = text.slice(0, text.indexOf(begin) + begin.length);
  writeFileSync(file, `${before}\n\n${block}\n\n${text.slice(text.indexOf(end))}`);
  spawnSync('npx', ['prettier', '--write', '--log-level', 'error', file], { stdio: 'inherit' });
}
client.close();
health.close();
again.child.kill();
await once(again.child, 'exit');
rmSync(folder, { recursive: true });
