// How fast does the policy service answer? 60 actions, 768 -> 512 -> 512, through gRPC against a service in a process of its
// own, with a kept state.
//
//   npm run build && node bench/policy.mjs [--calls 400] [--seconds 5] [--part speed|lag|memory] [--write]
//
// While 32 clients call, the service has one core (taskset) and the clients have the others. --write puts the table into docs/benchmarks.md;
// --part measures one part of it, which is printed only.
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
import { serviceRuntime } from '@a2sf/cli';
import { PolicyServiceClient } from '@a2sf/contracts';
import { callClientStream, callServerStream, callUnary, connect } from '@a2sf/grpc-runtime';
import { ActionSpace } from '@a2sf/kv-compression';
import { Random } from '@a2sf/random';
import { encodePolicyCheckpoint } from '@a2sf/run-store';
import { writeBlock } from './write-block.mjs';

const { values: flags } = parseArgs({
  options: {
    calls: { type: 'string', default: '400' },
    seconds: { type: 'string', default: '5' },
    part: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const parts = ['speed', 'lag', 'memory'].filter((part) => flags.part === undefined || flags.part === part);
if (parts.length === 0 || (flags.write && flags.part !== undefined))
  throw new Error('--part: speed, lag or memory, without --write');
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

const { nodeFlags, environment } = serviceRuntime.policy;
const main = fileURLToPath(new URL('../apps/policy/dist/main.js', import.meta.url));
const argv = [process.execPath, ...nodeFlags, main, '--port', '0', '--http_port', '0', '--log_level', 'error'];
const state = ['--state_dir', join(folder, 'state'), '--checkpoint', checkpoint];
const [program, ...rest] = [...argv, '--max_message_bytes', String(16 << 20)];
const env = { ...process.env, ...environment };
async function start(...more) {
  const child = spawn(program, [...rest, ...more], { stdio: ['ignore', 'pipe', 'inherit'], env });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, address: `127.0.0.1:${JSON.parse(line).port}` };
}

const statusOf = (pid, key) =>
  Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** Resident memory in MB, when the service has given back what it does not need, 7.5 seconds after the last call. */
async function residentOf({ pid }) {
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  return statusOf(pid, 'VmRSS');
}

/** The most resident memory in MB while something is done, and a while after it. */
async function memoryDuring({ pid }, work) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5'); // the peak is counted from here
  await work();
  const peak = statusOf(pid, 'VmHWM');
  return { peak, after: await residentOf({ pid }) };
}

const { child, address } = await start(...state);
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
let updates = 0;
function update() {
  const n = updates++;
  const experiences = embeddings.map((embedding, i) => ({
    id: `${n}-${i}`,
    embedding,
    actionIndex: i % space.size,
    reward: batch[i].reward,
  }));
  return callUnary(client, 'update', { updateId: `u${n}`, experiences }, { timeoutMs: 60_000 });
}

/** Milliseconds from the answer of each update to the moment when a replica serves it; answers choices meanwhile. */
async function replicaLags(count) {
  const replica = await start('--role', 'replica', '--learner', address);
  const follower = connect(PolicyServiceClient, replica.address, { maxMessageBytes: 16 << 20 });
  const served = new Map();
  let told = () => undefined;
  const watching = (async () => {
    for await (const { policyVersion } of callServerStream(follower, 'watchPolicy', {}, { timeoutMs: 600_000 })) {
      served.set(Number(policyVersion), performance.now());
      told();
    }
  })().catch(() => undefined);
  const serves = async (version) => {
    while (!served.has(version)) await new Promise((resolve) => (told = resolve));
    return served.get(version);
  };
  const over = new AbortController();
  const selecting = (async () => {
    for (let i = 0; !over.signal.aborted; i++) {
      await callUnary(follower, 'selectAction', { embedding: embeddings[i % 256] }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  const lags = [];
  for (let n = -3; n < count; n++) {
    const { policyVersion } = await update();
    const answered = performance.now();
    const lag = Math.max(0, (await serves(Number(policyVersion))) - answered);
    if (n >= 0) lags.push(lag); // the first policies come whole
  }
  over.abort();
  await selecting;
  replica.child.kill();
  await Promise.all([once(replica.child, 'exit'), watching]);
  follower.close();
  return lags.sort((x, y) => x - y);
}
async function exported() {
  const chunks = [];
  for await (const { data } of callServerStream(client, 'exportCheckpoint', {}, { timeoutMs: 60_000 }))
    chunks.push(data);
  return Buffer.concat(chunks);
}
let bytes;

/** The policy as it was, as the challenger or in the place of the one that serves. */
async function sendCheckpoint(isChallenger) {
  const pieces = Array.from({ length: Math.ceil(bytes.length / 262_144) }, (_, i) => ({
    data: bytes.subarray(i * 262_144, (i + 1) * 262_144),
    challenger: isChallenger && i === 0,
  }));
  await callClientStream(client, 'importCheckpoint', pieces, { timeoutMs: 60_000 });
}

const at1 = (value) => value.toFixed(1);
const machine = `Node ${process.versions.node}, ${cpus()[0].model.trim()}, ${availableParallelism()} cores`;
const about = [`${machine}, load average ${load} before; clients on the same machine`];

/** Rows of how fast the service answers. */
async function speed() {
  await residentOf(child); // what starting took has been given back
  const echoes = await timesOf(calls, echo);
  const still = await timesOf(calls, (i) => select(i, false));
  const exploring = await timesOf(Math.ceil(calls / 2), (i) => select(i, true));
  const isPinned = last > 0 && pin(child.pid, '0') && pin(process.pid, `1-${last}`);
  const echoRate = await throughput(32, echo);
  const rate = await throughput(32, (i) => select(i, false));
  for (const { pid } of isPinned ? [child, process] : []) pin(pid, `0-${last}`);
  const updating = await timesOf(12, update);
  const where = isPinned ? ', the service on one core' : '';
  about.push(
    `an echo is grpc.health.v1 Check: p50 ${at1(at(echoes, 0.5))} ms, p99 ${at1(at(echoes, 0.99))} ms, ` +
      `${echoRate.toFixed(0)} a second from 32 clients${where}`,
  );
  const above = (times) => [0.5, 0.99].map((share) => at1(at(times, share) - at(echoes, share))).join(' / ');
  return [
    `| SelectAction, explore false, p50 / p99 above an echo | ${above(still)} ms | 2 / 5 ms |`,
    `| SelectAction, explore true, p50 / p99 above an echo | ${above(exploring)} ms | 10 / 20 ms |`,
    `| SelectAction, explore false, 32 clients${where} | ${rate.toFixed(0)} a second | 1,000 |`,
    `| Update of 256 experiences, durable, median | ${at(updating, 0.5).toFixed(0)} ms | 500 ms |`,
  ];
}

/** The row of how far a replica is behind. */
async function lag() {
  const lags = await replicaLags(20);
  const measured = `${at(lags, 0.5).toFixed(0)} / ${lags.at(-1).toFixed(0)} ms`;
  return [
    `| replica behind learner after an update of 256, median / worst of ${lags.length} | ${measured} | 1,000 ms |`,
  ];
}

/** Rows of resident memory; ends the service. */
async function memory() {
  bytes = await exported();
  const memoryOf = {
    'after the challenger was sent': await memoryDuring(child, async () => {
      await sendCheckpoint(true);
      await timesOf(200, (i) => select(i, true));
    }),
    'after three imports in a row': await memoryDuring(child, async () => {
      for (let i = 0; i < 3; i++) await sendCheckpoint(false);
    }),
    'after an export': await memoryDuring(child, exported),
    'after five updates': await memoryDuring(child, async () => {
      for (let i = 0; i < 5; i++) await update();
    }),
  };
  child.kill();
  await once(child, 'exit');
  const again = await start(...state);
  const restarted = await residentOf(again.child);
  again.child.kill();
  await once(again.child, 'exit');
  return [
    `| resident memory, a challenger beside the policy, after a start | ${restarted.toFixed(0)} MB | 250 MB |`,
    ...Object.entries(memoryOf).map(
      ([when, { peak, after }]) =>
        `| the same, ${when} (highest meanwhile) | ${after.toFixed(0)} (${peak.toFixed(0)}) MB | 250 MB |`,
    ),
  ];
}

const rows = [];
if (parts.includes('speed')) rows.push(...(await speed()));
if (parts.includes('lag')) rows.push(...(await lag()));
if (parts.includes('memory')) rows.push(...(await memory()));
const block = [
  `60 actions, 768 -> 512 -> 512 (${about.join('; ')}):`,
  '',
  '| what | measured | wanted |',
  '| --- | --- | --- |',
  ...rows,
].join('\n');
console.log(block);
if (flags.write) {
  writeBlock('docs/benchmarks.md', 'policy', 'bench/policy.mjs', block);
}
client.close();
health.close();
if (child.exitCode === null && child.signalCode === null) {
  child.kill();
  await once(child, 'exit');
}
rmSync(folder, { recursive: true });
