// What does the trainer cost beside the models? Writes a section of docs/benchmarks.md.
//
//   npm run build && node bench/trainer.mjs [--parts generators,offline,report,share] [--model_name DIR] [--write]
//
// generators: stand-in processes with a fixed service time that speak the real contract (bench/trainer/simulated-generator.mjs),
// the other services real. offline: 1,000 prompts of 768 numbers, 200 iterations of 256. report: report.html of 1,000 iterations.
// share: the part of an iteration that is not spent waiting for generator or encoder; with --model_name, 8 episodes.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildSyntheticStore } from './synthetic-store.mjs';
import { writeBlock } from './write-block.mjs';

const { values: flags } = parseArgs({
  options: {
    parts: { type: 'string', default: 'generators,offline,report,share' },
    model_name: { type: 'string' },
    encoder_name: { type: 'string' },
    data: { type: 'string' },
    max_prompt_tokens: { type: 'string', default: '1024' },
    service_ms: { type: 'string', default: '250' },
    episodes: { type: 'string', default: '256' },
    iterations: { type: 'string', default: '3' },
    offline_iterations: { type: 'string', default: '200' },
    write: { type: 'boolean', default: false },
  },
});
const a2sf = fileURLToPath(new URL('../apps/cli/bin/a2sf.js', import.meta.url));
const simulated = fileURLToPath(new URL('trainer/simulated-generator.mjs', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'a2sf-bench-trainer-'));
const rows = [];
const load = loadavg()[0].toFixed(1);

async function start(script, ...args) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { address: `127.0.0.1:${JSON.parse(line).port}`, stop: () => child.kill('SIGKILL') };
}
const service = (name, ...args) =>
  start(a2sf, 'serve', name, '--port', '0', '--http_port', '0', '--log_level', 'error', ...args);

/** Runs a command to its end; the seconds that it took. */
function timed(...args) {
  const begun = performance.now();
  const run = spawnSync(process.execPath, [a2sf, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (run.status !== 0) throw new Error(`a2sf ${args.join(' ')}: exit code ${run.status}`);
  return (performance.now() - begun) / 1000;
}
const linesOf = (folder) =>
  readFileSync(join(folder, 'progress.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const total = (seconds) => Object.values(seconds).reduce((sum, value) => sum + value, 0);
const median = (values) => values.toSorted((x, y) => x - y)[values.length >> 1];

/** Episodes a second of the iterations but for the first, in which the trainer gets to know its generators. */
async function rateOf(serviceTimes) {
  const others = await Promise.all(['encoder', 'reward', 'policy'].map((name) => service(name)));
  const generators = await Promise.all(serviceTimes.map((ms) => start(simulated, '--service_ms', String(ms))));
  const [encoder, reward, policy] = others.map(({ address }) => address);
  const folder = join(work, `rate-${serviceTimes.join('-')}`);
  timed(
    ...[
      ['train', '--encoder', encoder, '--reward_service', reward, '--policy', policy, '--generators'],
      generators.map(({ address }) => address),
      ['--iterations', flags.iterations, '--episodes_per_update', flags.episodes, '--log_frequency', '1'],
      ['--eval_samples', '1', '--eval_frequency', '1000', '--budget', '64', '--reward', 'rouge_l'],
      ['--http_port', '0', '--log_level', 'error', '--save_dir', folder],
    ].flat(),
  );
  for (const { stop } of [...others, ...generators]) stop();
  const own = linesOf(folder).slice(1);
  return Number(flags.episodes) / median(own.map(({ seconds }) => total(seconds)));
}

async function generators() {
  const ms = Number(flags.service_ms);
  const alone = await rateOf([ms]);
  rows.push(['1 simulated generator', `${alone.toFixed(2)} episodes/s`, '']);
  for (const count of [2, 4, 8]) {
    const rate = await rateOf(Array.from({ length: count }, () => ms));
    const share = (rate / (count * alone)).toFixed(3);
    rows.push([`${count} simulated generators`, `${rate.toFixed(2)} episodes/s, ${share} of linear`, '>= 0.95']);
  }
  const rate = await rateOf([ms, 10 * ms, ms, ms]);
  const bound = (alone * 3.1).toFixed(2);
  const share = (rate / (alone * 3.1)).toFixed(3);
  rows.push([
    'one of 4 ten times slower',
    `${rate.toFixed(2)} episodes/s, ${share} of the sum of the rates, ${bound}`,
    '>= 0.9',
  ]);
}

const offlineFolder = (feedback) => join(work, `offline-${feedback}`);
async function offline() {
  const store = join(work, 'store');
  await buildSyntheticStore({ folder: store, prompts: 1250, dimension: 768 });
  for (const [feedback, wanted] of [
    ['bandit', 180],
    ['full', 60],
  ]) {
    const wall = timed(
      ...[
        ['train', '--from_store', store, '--reward', 'rouge_l', '--feedback', feedback],
        ['--iterations', flags.offline_iterations, '--episodes_per_update', '256', '--log_frequency', '1'],
        ['--http_port', '0', '--log_level', 'error', '--save_dir', offlineFolder(feedback)],
      ].flat(),
    );
    const stage = (name) => median(linesOf(offlineFolder(feedback)).map(({ seconds }) => seconds[name] ?? 0));
    const parts = `${(1000 * stage('select')).toFixed(0)} ms to choose, ${(1000 * stage('update')).toFixed(0)} ms to learn`;
    const what = `offline run, 1,000 prompts, ${flags.offline_iterations} iterations of 256, ${feedback} feedback`;
    rows.push([what, `${wall.toFixed(0)} s (an iteration: ${parts})`, `<= ${wanted} s`]);
  }
}

function report() {
  const from = offlineFolder('full');
  const folder = join(work, 'report');
  mkdirSync(folder);
  for (const name of ['config.json', 'evaluation.jsonl', 'evaluation_rewards.jsonl'])
    writeFileSync(join(folder, name), readFileSync(join(from, name)));
  const lines = linesOf(from);
  const all = Array.from({ length: 1000 }, (_, i) => ({ ...lines[i % lines.length], iteration: i + 1 }));
  writeFileSync(join(folder, 'progress.jsonl'), all.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const walls = Array.from({ length: 3 }, () => timed('report', folder));
  const size = statSync(join(folder, 'report.html')).size / 1e6;
  const told = `${median(walls).toFixed(1)} s with the start of Node, ${size.toFixed(2)} MB`;
  rows.push(['report.html of 1,000 iterations of 256', told, '<= 3 s, <= 3 MB']);
}

function share() {
  const folder = join(work, 'share');
  const model = flags.model_name === undefined ? [] : ['--model_name', flags.model_name];
  const encoder = flags.encoder_name === undefined ? [] : ['--context_encoder_model', flags.encoder_name];
  const data = flags.data === undefined ? [] : ['--data', flags.data];
  timed(
    ...[
      ['train', ...model, ...encoder, ...data, '--max_prompt_tokens', flags.max_prompt_tokens, '--device', 'cpu'],
      ['--iterations', '4', '--episodes_per_update', '8', '--log_frequency', '1', '--eval_samples', '1'],
      ['--eval_frequency', '1000', '--reward', 'rouge_l', '--http_port', '0', '--save_dir', folder],
    ].flat(),
  );
  const shares = linesOf(folder)
    .slice(1)
    .map(({ seconds: { encode = 0, generate = 0, ...rest } }) => total(rest) / (encode + generate + total(rest)));
  const { identities } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  const who =
    identities?.model_id ?? (flags.model_name === undefined ? 'the embedded model' : basename(flags.model_name));
  rows.push([
    `not waiting for generator or encoder (${who}, 8 episodes)`,
    `${(100 * median(shares)).toFixed(1)} % of an iteration`,
    '<= 5 %',
  ]);
}

const parts = { generators, offline, report, share };
for (const name of flags.parts.split(',')) {
  await parts[name]();
  console.log(rows.map((row) => row.join(' | ')).join('\n'));
}
const block = [
  `Node ${process.versions.node}, ${cpus()[0].model.trim()}, ${availableParallelism()} cores, load average ${load} before; simulated generators take ` +
    `${flags.service_ms} ms an episode, iterations of ${flags.episodes}; embedded encoder, reward and policy services:`,
  '',
  '| what | measured | wanted |',
  '| --- | --- | --- |',
  ...rows.map((row) => `| ${row.join(' | ')} |`),
].join('\n');
if (flags.write) {
  writeBlock('docs/benchmarks.md', 'trainer', 'bench/trainer.mjs', block);
}
rmSync(work, { recursive: true });
