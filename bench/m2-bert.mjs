// How long does a long text take in M2-BERT at full size, and how much memory? First and warm calls by length, a process of
// its own for every length (its peak memory), and the published maths in torch on the same weights, by turns.
//
//   npm run build && node tools/make-m2-bert.mjs DIR
//   node bench/m2-bert.mjs --model_name DIR [--python VENV/bin/python] [--lengths 512,1024,2048,8192] [--runs 3]
//                          [--growth_runs 5] [--mixed_texts 30] [--threads 2] [--write]
//
// --write puts the table between the marks of docs/benchmarks.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { serviceRuntime } from '@a2sf/cli';
import { Random } from '@a2sf/random';
import { writeBlock } from './write-block.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model_name: { type: 'string' },
    python: { type: 'string' },
    lengths: { type: 'string', default: '512,1024,2048,8192' },
    runs: { type: 'string', default: '3' },
    growth_runs: { type: 'string', default: '5' },
    mixed_texts: { type: 'string', default: '30' },
    threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    write: { type: 'boolean', default: false },
    table_bytes: { type: 'string' },
    child: { type: 'boolean', default: false },
  },
});
if (values.model_name === undefined) throw new Error('--model_name is missing');
const idsOf = (tokens) => Array.from({ length: tokens }, (_, i) => 1000 + ((7919 * i) % 20000));

if (values.child) await answer();
else await measure();

/** Ours, line by line as bench/peers/m2_bert_speed.py. */
async function answer() {
  const { SentenceEncoder } = await import('@a2sf/inference');
  const folder = values.model_name;
  const tables = values.table_bytes === undefined ? {} : { tableBytes: Number(values.table_bytes) };
  const encoder = await SentenceEncoder.load({ folder, name: 'm2-bert', threads: Number(values.threads), ...tables });
  for await (const line of createInterface({ input: process.stdin })) {
    const { tokens, cls } = JSON.parse(line);
    const begin = performance.now();
    const { values: vector } = await encoder.encode({ ids: idsOf(tokens) });
    const seconds = (performance.now() - begin) / 1000;
    const peak = 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    console.log(JSON.stringify({ seconds, vm_hwm_bytes: peak, ...(cls ? { cls: [...vector] } : {}) }));
  }
  await encoder.dispose();
}

/** A process that answers one line of JSON a line. */
function engine(command, args, environment = {}) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...environment } });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(question) {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended`);
      return JSON.parse(value);
    },
    async end() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

function median(numbers) {
  return numbers.toSorted((x, y) => x - y)[numbers.length >> 1];
}

/** Ours, with the environment that the service is started with. */
function encoderProcess(args) {
  return engine(process.execPath, args, serviceRuntime.encoder.environment);
}

async function measure() {
  const lengths = [values.lengths, ...positionals].flatMap((each) => each.split(',')).map(Number);
  const common = ['--threads', values.threads];
  const peerScript = fileURLToPath(new URL('peers/m2_bert_speed.py', import.meta.url));
  const rows = [];
  const self = [fileURLToPath(import.meta.url), '--child', '--model_name', values.model_name, ...common];
  for (const tokens of lengths) {
    const ours = encoderProcess(self);
    const peer =
      values.python === undefined
        ? undefined
        : engine(values.python, [peerScript, '--model', values.model_name, ...common]);
    const first = await ours.ask({ tokens, cls: true });
    const warmUp = await peer?.ask({ tokens, cls: true });
    const warm = [];
    const theirs = [];
    for (let run = 0; run < Number(values.runs); run++) {
      warm.push(await ours.ask({ tokens }));
      if (peer !== undefined) theirs.push(await peer.ask({ tokens }));
    }
    await Promise.all([ours.end(), peer?.end()]);
    const seconds = median(warm.map((each) => each.seconds));
    const torch = peer && median(theirs.map((each) => each.seconds));
    const gib = (each) => (each.vm_hwm_bytes / 2 ** 30).toFixed(2);
    const row = [tokens, first.seconds.toFixed(2), seconds.toFixed(2), gib(warm.at(-1))];
    if (peer !== undefined) {
      const difference = Math.max(...first.cls.map((value, i) => Math.abs(value - warmUp.cls[i])));
      row.push(torch.toFixed(2), gib(theirs.at(-1)), `${(torch / seconds).toFixed(2)}x`, difference.toExponential(1));
    }
    console.error(row.join('  '));
    rows.push(row);
  }
  const head = ['tokens', 'first s', 'warm s', 'GiB'];
  if (values.python !== undefined) head.push('torch s', 'torch GiB', 'ratio', 'CLS differs by');
  const table = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  const growth = lengths.includes(1024) && lengths.includes(8192) ? await growthOfTime(self) : '';
  const mixed = await mixedLengths(Math.max(...lengths), self);
  const text = [
    `A random model of the 80M-8k shape, CLS of one text, ${values.threads} threads, medians of ${values.runs} by turns (Node ${process.versions.node}).` +
      ` GiB is the peak of a process that encodes this length only. torch: the published maths, torch.fft, filters in every call.${growth}${mixed}`,
    '',
    ...table,
  ].join('\n');
  console.log(text);
  if (values.write) writeBlock('docs/benchmarks.md', 'm2-bert', 'bench/m2-bert.mjs', text);
}

/**
 * How the time grows from 1024 to 8192 tokens, a process for each length and runs by turns: as served, and where both lengths
 * keep no spectra or both keep them all.
 */
async function growthOfTime(self) {
  const settings = [];
  for (const { flags, name } of [
    { flags: [], name: '' },
    { flags: ['--table_bytes', '0'], name: ' with --table_bytes 0' },
    { flags: ['--table_bytes', String(2 ** 31)], name: ' with room for all spectra (--table_bytes 2147483648)' },
  ]) {
    const processes = [1024, 8192].map((tokens) => ({ tokens, warm: [], ours: encoderProcess([...self, ...flags]) }));
    for (const { tokens, ours } of processes) await ours.ask({ tokens });
    for (let run = 0; run < Number(values.growth_runs); run++) {
      for (const { tokens, warm, ours } of processes) warm.push(await ours.ask({ tokens }));
    }
    for (const { ours } of processes) await ours.end();
    const [short, long] = processes.map(({ warm }) => median(warm.map(({ seconds }) => seconds)));
    const gib = (processes[1].warm.at(-1).vm_hwm_bytes / 2 ** 30).toFixed(2);
    settings.push(
      `${(long / short).toFixed(1)} times${name} (${short.toFixed(2)} to ${long.toFixed(2)} s, ${gib} GiB)`,
    );
  }
  return ` From 1024 to 8192 tokens the time grows, medians of ${values.growth_runs} by turns, ${settings.join('; ')}.`;
}

/** Texts of lengths by chance, one after the other: tables of many lengths want to be kept. */
async function mixedLengths(longest, self) {
  const random = new Random(1);
  const shortest = Math.min(256, longest);
  const lengths = Array.from(
    { length: Number(values.mixed_texts) },
    () => shortest + random.below(longest - shortest + 1),
  );
  if (lengths.length === 0) return '';
  const ours = encoderProcess(self);
  let seconds = 0;
  let peak = 0;
  for (const tokens of lengths) {
    const answer = await ours.ask({ tokens });
    seconds += answer.seconds;
    peak = answer.vm_hwm_bytes;
  }
  await ours.end();
  const speed = Math.round(lengths.reduce((sum, tokens) => sum + tokens, 0) / seconds);
  return ` ${lengths.length} texts of ${shortest} to ${longest} tokens by chance, from the first on: ${speed} tokens/s, ${(peak / 2 ** 30).toFixed(2)} GiB.`;
}
