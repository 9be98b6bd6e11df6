// What does a generator cost? Ratios of medians, all of one process: a sweep of sixty actions against single calls, scores
// against a plain prefill, a compressed cache against the full one, eight streams against one; and its memory.
//
//   npm run build && node bench/generator.mjs --model_name DIR [--tokens 1024,4096] [--runs 5] [--threads 2] [--write]
//
// --write puts the table into docs/benchmarks.md and the chart beside it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GeneratorServiceClient } from '@a2sf/contracts';
import { callServerStream, callUnary, connect } from '@a2sf/grpc-runtime';
import * as echarts from 'echarts';

const { values } = parseArgs({
  options: {
    model_name: { type: 'string' },
    tokens: { type: 'string', default: '1024,4096' },
    runs: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    write: { type: 'boolean', default: false },
  },
});
const lengths = values.tokens.split(',').map(Number);
const runs = Number(values.runs);
const newTokens = 16;
const budget = 128;
const docs = fileURLToPath(new URL('../docs/', import.meta.url));

const median = (numbers) => numbers.toSorted((x, y) => x - y)[numbers.length >> 1];
const spread = (numbers) => `${Math.min(...numbers).toFixed(0)}-${Math.max(...numbers).toFixed(0)}`;

/** A generator in a process of its own. */
async function startGenerator(...more) {
  const a2sf = fileURLToPath(new URL('../apps/cli/bin/a2sf.js', import.meta.url));
  const model = values.model_name === undefined ? [] : ['--model_name', values.model_name];
  const flags = ['--port', '0', '--http_port', '0', '--log_level', 'error', '--threads', values.threads, ...model];
  const child = spawn(process.execPath, [a2sf, 'serve', 'generator', ...flags, ...more], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const client = connect(GeneratorServiceClient, `127.0.0.1:${JSON.parse(line).port}`);
  const memory = (field) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) /
    1024;
  const stop = async () => {
    client.close();
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { client, memory, stop };
}

/** Seconds of a call and what it answered. */
async function timed(call) {
  const start = performance.now();
  const answer = await call();
  return { ms: performance.now() - start, answer };
}

const generator = await startGenerator();
const { client } = generator;
const info = await callUnary(client, 'getInfo', {});
const ids = (n, salt = 0) => Array.from({ length: n }, (_, i) => 3 + (((i + salt) * 7919 + salt) % (info.vocab - 3)));
const longCall = { timeoutMs: 3_600_000 };
const prompt = (n) => ({ tokenIds: { ids: ids(n) } });

async function generate(n, compression, maxNewTokens = newTokens, salt = 0) {
  const request = { prompt: { tokenIds: { ids: ids(n, salt) } }, compression, maxNewTokens, ignoreEos: true };
  let usage;
  for await (const piece of callServerStream(client, 'generate', request, longCall)) usage = piece.usage ?? usage;
  return usage;
}
const sweep = (n) =>
  callUnary(client, 'sweep', { prompt: prompt(n), budget, maxNewTokens: newTokens, ignoreEos: true }, longCall);
const action = (a, b) => ({ action: { a, b }, budget });
const sixActions = [
  action(0, 1),
  action(0.001, 512),
  action(0.01, 64),
  action(0.1, 16),
  action(10, 16),
  action(10, 128),
];

const rows = [];
const say = (what, value, detail) => {
  rows.push([what, value, detail]);
  console.log(`${what}: ${value} (${detail})`);
};
const chart = [];

for (const n of lengths) {
  await sweep(n); // warm
  const singles = [];
  const sweeps = [];
  const plainPrefill = [];
  const scoredPrefill = [];
  const fullDecode = [];
  const keptDecode = [];
  let distinct = 0;
  for (let run = 0; run < runs; run++) {
    let six = 0;
    for (const compression of sixActions) six += (await timed(() => generate(n, compression))).ms;
    singles.push(six * 10);
    const swept = await timed(() => sweep(n));
    sweeps.push(swept.ms);
    scoredPrefill.push(swept.answer.prefillMs);
    distinct = swept.answer.results.filter(({ sameAs }) => sameAs === undefined).length;
    const full = await generate(n, undefined, 33);
    plainPrefill.push(full.prefillMs);
    fullDecode.push(full.decodeMs / 32);
    const kept = await generate(n, action(10, 16), 33);
    keptDecode.push(kept.decodeMs / 32);
  }
  const ratio = (x, y) => `${(median(x) / median(y)).toFixed(2)}x`;
  chart.push({ n, single: median(singles) / 1000, sweep: median(sweeps) / 1000 });
  say(
    `60 x Generate / one Sweep, ${n} tokens`,
    ratio(singles, sweeps),
    `${(median(singles) / 1000).toFixed(1)} s / ${(median(sweeps) / 1000).toFixed(2)} s (${spread(sweeps)} ms), ${distinct} distinct selections`,
  );
  say(
    `prefill with scores and selection / plain prefill, ${n}`,
    ratio(scoredPrefill, plainPrefill),
    `${median(scoredPrefill).toFixed(0)} / ${median(plainPrefill).toFixed(0)} ms`,
  );
  say(
    `plain prefill, ${n}`,
    `${((1000 * n) / median(plainPrefill)).toFixed(0)} tokens/s`,
    `${spread(plainPrefill)} ms`,
  );
  say(
    `decode, full cache of ${n}`,
    `${(1000 / median(fullDecode)).toFixed(1)} tokens/s`,
    `${median(fullDecode).toFixed(1)} ms a token`,
  );
  say(
    `decode, ${budget} keys / full cache, ${n}`,
    ratio(fullDecode, keptDecode),
    `${median(keptDecode).toFixed(1)} ms a token`,
  );
}

{
  const each = 64;
  const one = [];
  const eight = [];
  for (let run = 0; run < runs; run++) {
    one.push((await timed(() => generate(256, action(10, 16), each))).ms);
    eight.push(
      (await timed(() => Promise.all(Array.from({ length: 8 }, (_, i) => generate(256, action(10, 16), each, i))))).ms,
    );
  }
  const rate = (times, count) => (1000 * count * each) / median(times);
  say(
    '8 streams / 1, tokens/s, 256-token prompts, 64 new, compressed',
    `${(rate(eight, 8) / rate(one, 1)).toFixed(2)}x`,
    `${rate(eight, 8).toFixed(0)} / ${rate(one, 1).toFixed(0)} tokens/s, prefill included`,
  );
}
await generator.stop();

{
  const fresh = await startGenerator();
  const loaded = fresh.memory('VmRSS');
  const n = Math.max(...lengths);
  for await (const _ of callServerStream(
    fresh.client,
    'generate',
    { prompt: prompt(n), maxNewTokens: newTokens, ignoreEos: true },
    longCall,
  ));
  say(
    `resident memory, full cache, one prompt of ${n}`,
    `${fresh.memory('VmHWM').toFixed(0)} MB at most`,
    `${loaded.toFixed(0)} MB after loading`,
  );
  await fresh.stop();
}

const machine = `${cpus().length} cores (${cpus()[0].model}), Node ${process.versions.node}`;
const table = [
  `${info.model} (${info.family}, ${info.dtype}), ${values.threads} threads, ${newTokens} new tokens, budget ${budget}, medians of ${runs} interleaved runs; ${machine}:`,
  '',
  '| what | measured | from |',
  '| --- | --- | --- |',
  ...rows.map((row) => `| ${row.join(' | ')} |`),
  '',
  '![seconds of sixty actions against prompt length](sweep-cost.svg)',
].join('\n');

if (values.write) {
  const plot = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 720, height: 420 });
  plot.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: { text: 'Sixty actions of one prompt', left: 'center' },
    legend: { bottom: 0 },
    xAxis: { type: 'value', name: 'prompt tokens', nameLocation: 'middle', nameGap: 28 },
    yAxis: { type: 'log', name: 'seconds' },
    series: [
      { name: 'one prefill per action', type: 'line', data: chart.map(({ n, single }) => [n, single]) },
      { name: 'one Sweep', type: 'line', data: chart.map(({ n, sweep: one }) => [n, one]) },
    ],
  });
  writeFileSync(`${docs}sweep-cost.svg`, plot.renderToSVGString());
  const path = `${docs}benchmarks.md`;
  const before = readFileSync(path, 'utf8');
  const section = /<!-- generator: .*?-->[\s\S]*?<!-- end of generator -->/;
  if (!section.test(before)) throw new Error('docs/benchmarks.md has no place for the table of the generator');
  const after = before.replace(
    section,
    () => `<!-- generator: written by bench/generator.mjs -->\n\n${table}\n\n<!-- end of generator -->`,
  );
  writeFileSync(path, after);
}
console.log(table);
