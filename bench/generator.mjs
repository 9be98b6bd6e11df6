// What does a generator cost? Ratios of medians, all of one process: a sweep of sixty actions against single calls, scores
// against a plain prefill, a compressed cache against the full one, eight streams against one; int4 weights; its memory,
// and whether that grows; and the same model in other engines, measured before by the scripts of bench/peers.
//
//   npm run build && node bench/generator.mjs --model_name DIR [--tokens 1024,4096] [--runs 5] [--threads 2]
//                                             [--growth_requests 2000] [--model_growth_requests 0]
//                                             [--peers FILE] [--write]
//
// --growth_requests are answered by the embedded model (some 30 s), --model_growth_requests by the given one (ten minutes
// and more for 2000); 0 leaves the row out. --peers is a file of JSON lines. --write puts the table into
// docs/benchmarks.md and the chart beside it.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { callUnary } from '@a2sf/grpc-runtime';
import { resolveModelFolder } from '@a2sf/model-zoo';
import { openWeights } from '@a2sf/tensor-files';
import * as echarts from 'echarts';
import { memoryGrowth } from './generator/memory-growth.mjs';
import { compareWithPeers, readPeers } from './peers/compare.mjs';
import { startGenerator } from './start-generator.mjs';
import { writeBlock } from './write-block.mjs';

const { values } = parseArgs({
  options: {
    model_name: { type: 'string' },
    tokens: { type: 'string', default: '1024,4096' },
    runs: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    growth_requests: { type: 'string', default: '2000' },
    model_growth_requests: { type: 'string', default: '0' },
    peers: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const lengths = values.tokens.split(',').map(Number);
const [runs, threads] = [values.runs, values.threads].map(Number);
const modelName = values.model_name;
const newTokens = 16;
/** Of the decode rows: the prefill makes the first token, so 32 steps are timed. */
const decodeTokens = 33;
const budget = 128;
const docs = fileURLToPath(new URL('../docs/', import.meta.url));
const peers = values.peers === undefined ? [] : readPeers(values.peers);

const median = (numbers) => numbers.toSorted((x, y) => x - y)[numbers.length >> 1];
const spread = (numbers) => `${Math.min(...numbers).toFixed(0)}-${Math.max(...numbers).toFixed(0)}`;
const ratio = (x, y) => `${(median(x) / median(y)).toFixed(2)}x`;
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
/** Our tokens per second by prompt length. */
const speeds = { prefill: {}, decode: {}, int4Decode: {} };

/** Seconds of a call and what it answered. */
async function timed(call) {
  const start = performance.now();
  const answer = await call();
  return { ms: performance.now() - start, answer };
}

const decodeStep = ({ decodeMs }) => decodeMs / (decodeTokens - 1);

async function speedAt(generator, n) {
  const { client, generate, ids, timeoutMs } = generator;
  const request = { prompt: { tokenIds: { ids: ids(n) } }, budget, maxNewTokens: newTokens, ignoreEos: true };
  const sweep = () => callUnary(client, 'sweep', request, { timeoutMs });
  await sweep(); // warm
  const [singles, sweeps, plainPrefill, scoredPrefill, fullDecode, keptDecode] = [[], [], [], [], [], []];
  let distinct = 0;
  for (let run = 0; run < runs; run++) {
    let six = 0;
    for (const compression of sixActions) {
      six += (await timed(() => generate(n, { compression, maxNewTokens: newTokens }))).ms;
    }
    singles.push(six * 10);
    const swept = await timed(sweep);
    sweeps.push(swept.ms);
    scoredPrefill.push(swept.answer.prefillMs);
    distinct = swept.answer.results.filter(({ sameAs }) => sameAs === undefined).length;
    const full = await generate(n, { maxNewTokens: decodeTokens });
    plainPrefill.push(full.prefillMs);
    fullDecode.push(decodeStep(full));
    keptDecode.push(decodeStep(await generate(n, { compression: action(10, 16), maxNewTokens: decodeTokens })));
  }
  speeds.prefill[n] = (1000 * n) / median(plainPrefill);
  speeds.decode[n] = 1000 / median(fullDecode);
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
  say(`plain prefill, ${n}`, `${speeds.prefill[n].toFixed(0)} tokens/s`, `${spread(plainPrefill)} ms`);
  say(
    `decode, full cache of ${n}`,
    `${speeds.decode[n].toFixed(1)} tokens/s`,
    `${median(fullDecode).toFixed(1)} ms a token`,
  );
  say(
    `decode, ${budget} keys / full cache, ${n}`,
    ratio(fullDecode, keptDecode),
    `${median(keptDecode).toFixed(1)} ms a token`,
  );
}

/** Texts that are decoded at once, each of a prompt of its own: tokens per second of all, prefill included and while all decode. */
async function together({ generate }, count, prompt, each, compression) {
  const text = (salt) => generate(prompt, { compression, maxNewTokens: each, salt });
  const { ms, answer } = await timed(() => Promise.all(Array.from({ length: count }, (_, i) => text(i))));
  return {
    whole: (1000 * count * each) / ms,
    decoding: rateWhileAllDecode(answer.map(({ arrivals }) => arrivals)),
  };
}

async function eightStreams(generator) {
  const [streams, prompt, each] = [8, 256, 128];
  const [one, eight] = [[], []];
  for (let run = 0; run < runs; run++) {
    one.push(await together(generator, 1, prompt, each, action(10, 16)));
    eight.push(await together(generator, streams, prompt, each, action(10, 16)));
  }
  const what = `${streams} streams / 1, ${prompt}-token prompts, ${each} new, compressed`;
  for (const [part, field] of Object.entries({ 'prefill included': 'whole', 'while all decode': 'decoding' })) {
    const [x, y] = [eight, one].map((rates) => rates.map((rate) => rate[field]));
    say(`${what}, ${part}`, ratio(x, y), `${median(x).toFixed(0)} / ${median(y).toFixed(0)} tokens/s`);
  }
}

/** What a compressed cache gains where several texts share the weights that a step reads: their caches are most of the rest. */
async function compressedTogether(generator) {
  const [streams, prompt, each] = [4, Math.max(...lengths), 96];
  const [full, kept] = [[], []];
  for (let run = 0; run < runs; run++) {
    full.push((await together(generator, streams, prompt, each, undefined)).decoding);
    kept.push((await together(generator, streams, prompt, each, action(10, 16))).decoding);
  }
  const detail = `${median(kept).toFixed(0)} / ${median(full).toFixed(0)} tokens/s`;
  say(`decode, ${budget} keys / full cache, ${prompt}, ${streams} texts at once`, ratio(kept, full), detail);
}

/** Tokens per second, all streams together, from the last stream's first token to the first stream's last one. */
function rateWhileAllDecode(streams) {
  const from = Math.max(...streams.map((arrivals) => arrivals[0].at));
  const to = Math.min(...streams.map((arrivals) => arrivals.at(-1).at));
  if (!(to > from)) return NaN; // the first text ended before the last one began
  const inside = streams.flat().filter(({ at }) => at > from && at <= to);
  return (1000 * inside.reduce((sum, { tokens }) => sum + tokens, 0)) / (to - from);
}

async function int4Speed() {
  const generator = await startGenerator({ modelName, threads, flags: ['--weights', 'int4'] });
  for (const n of lengths) {
    await generator.generate(n, { maxNewTokens: 2 }); // warm
    const [full, kept] = [[], []];
    for (let run = 0; run < runs; run++) {
      full.push(decodeStep(await generator.generate(n, { maxNewTokens: decodeTokens })));
      kept.push(decodeStep(await generator.generate(n, { compression: action(10, 16), maxNewTokens: decodeTokens })));
    }
    speeds.int4Decode[n] = 1000 / median(full);
    say(
      `decode with int4 weights / float32, full cache of ${n}`,
      `${(speeds.int4Decode[n] / speeds.decode[n]).toFixed(2)}x`,
      `${speeds.int4Decode[n].toFixed(1)} / ${speeds.decode[n].toFixed(1)} tokens/s`,
    );
    say(
      `decode with int4 weights, ${budget} keys / full cache, ${n}`,
      ratio(full, kept),
      `${median(kept).toFixed(1)}, ${median(full).toFixed(1)} ms a token`,
    );
  }
  await generator.stop();
}

/** Most resident memory of one long prompt, beside what it may be: weights x 1.8 + KV + 300 MB. */
async function residentMemory() {
  const fresh = await startGenerator({ modelName, threads });
  const loaded = fresh.memory('VmRSS');
  const n = Math.max(...lengths);
  const usage = await fresh.generate(n, { maxNewTokens: newTokens });
  const most = fresh.memory('VmHWM');
  await fresh.stop();
  const megabyte = 2 ** 20;
  const weights = float32Bytes(resolveModelFolder(modelName, 'llm').folder) / megabyte;
  const cache = Number(usage.fullCacheBytes) / megabyte;
  const bound = weights * 1.8 + cache + 300;
  say(
    `resident memory, full cache, one prompt of ${n}`,
    `${most.toFixed(0)} MB at most`,
    `${loaded.toFixed(0)} MB after loading; weights ${weights.toFixed(0)} x 1.8 + KV ${cache.toFixed(0)} + 300 = ${bound.toFixed(0)} MB`,
  );
}

/** Bytes of a model's tensors as float32. */
function float32Bytes(folder) {
  const tensors = openWeights(folder).files.flatMap((file) => [...file.tensors.values()]);
  return 4 * tensors.reduce((sum, { shape }) => sum + shape.reduce((x, y) => x * y, 1), 0);
}

async function growth(name, requests) {
  if (requests === 0) return;
  const { model, start, half, end, settled, cancelled } = await memoryGrowth(name, threads, requests);
  const percent = (field) => `${(100 * (end[field] / start[field] - 1)).toFixed(1)} %`;
  const megabytes = (field) => `${[start, half, end].map((at) => at[field].toFixed(0)).join(', ')} MB`;
  say(
    `growth of resident memory, ${settled} to ${requests} mixed requests, ${model}`,
    percent('collected'),
    `${megabytes('collected')} at the start, half and end, garbage collected; without one ${megabytes('asIs')}, ${percent('asIs')}; ${cancelled} requests given up`,
  );
}

const generator = await startGenerator({ modelName, threads });
const { info } = generator;
for (const n of lengths) await speedAt(generator, n);
await eightStreams(generator);
await compressedTogether(generator);
await generator.stop();
await int4Speed();
for (const row of compareWithPeers(peers, speeds)) say(...row);
await residentMemory();
await growth(undefined, Number(values.growth_requests));
await growth(modelName, Number(values.model_growth_requests));

const machine = `${cpus().length} cores (${cpus()[0].model}), Node ${process.versions.node}`;
const table = [
  `${info.model} (${info.family}, ${info.dtype}), ${threads} threads, ${newTokens} new tokens, budget ${budget}, medians of ${runs} interleaved runs; ${machine}:`,
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
  writeBlock('docs/benchmarks.md', 'generator', 'bench/generator.mjs', table);
}
console.log(table);
