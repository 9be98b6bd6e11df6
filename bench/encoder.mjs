// What does an encoder cost? The latency of an embedding that is cached, the speed of many short sentences, single ones from
// many callers joined against one by one; and the same model in other engines, measured before by the scripts of
// bench/peers. All through gRPC, runs interleaved.
//
//   npm run build && node bench/encoder.mjs [--model_name DIR] [--threads 2] [--sentences 256] [--runs 7] [--callers 16]
//                                           [--calls 20000] [--peers FILE] [--write]
//
// --peers is a file of JSON lines. --write puts the table into docs/benchmarks.md.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { readPeers } from './peers/compare.mjs';
import { shortSentences } from './peers/short-sentences.mjs';
import { startEncoder } from './start-encoder.mjs';
import { cachedLatencies } from './encoder/latency.mjs';
import { writeBlock } from './write-block.mjs';

const { values } = parseArgs({
  options: {
    model_name: { type: 'string' },
    threads: { type: 'string', default: '2' },
    sentences: { type: 'string', default: '256' },
    runs: { type: 'string', default: '7' },
    callers: { type: 'string', default: '16' },
    calls: { type: 'string', default: '20000' },
    peers: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const [threads, count, runs, callers, calls] = [
  values.threads,
  values.sentences,
  values.runs,
  values.callers,
  values.calls,
].map(Number);
const peers = values.peers === undefined ? [] : readPeers(values.peers);
/** How long the encoder that waits for requests to join does so. */
const windowMs = 2;

const quantile = (numbers, q) => numbers.toSorted((x, y) => x - y)[Math.floor(q * (numbers.length - 1))];
const median = (numbers) => quantile(numbers, 0.5);
const spread = (numbers) => `${Math.min(...numbers).toFixed(0)}-${Math.max(...numbers).toFixed(0)}`;

const rows = [];
const say = (what, value, detail) => {
  rows.push([what, value, detail]);
  console.log(`${what}: ${value} (${detail})`);
};
const timed = async (call) => {
  const start = performance.now();
  await call();
  return performance.now() - start;
};

const sentences = shortSentences(count);
const start = (...flags) => startEncoder({ modelName: values.model_name, threads, flags });
const cached = await start();
const crowded = {
  single: await start('--cache_bytes', '0', '--max_batch', '1'),
  joined: await start('--cache_bytes', '0'),
  waiting: await start('--cache_bytes', '0', '--batch_window_ms', String(windowMs)),
};

/** One sentence a call, some callers at once, each waiting for its answer: texts per second, and each call's ms. */
async function crowd({ encode }, together) {
  const waiting = [...sentences];
  const times = [];
  const caller = async () => {
    for (let text = waiting.pop(); text !== undefined; text = waiting.pop()) {
      times.push(await timed(() => encode([text])));
    }
  };
  const ms = await timed(() => Promise.all(Array.from({ length: together }, caller)));
  return { rate: (1000 * count) / ms, ms: median(times) };
}

await cached.encode(sentences);
const latencies = await cachedLatencies(cached.address, sentences, cached.info.dimension, calls);
const quantiles = (all) => [0.5, 0.9, 0.99].map((q) => quantile(all, q).toFixed(2)).join(', ');
say(
  'cached embedding over gRPC, p99',
  `${quantile(latencies.cached, 0.99).toFixed(2)} ms`,
  `p50, p90, p99 of ${calls} calls: ${quantiles(latencies.cached)} ms; of GetInfo: ${quantiles(latencies.empty)} ms; of ${4 * cached.info.dimension} bytes through a bare socket: ${quantiles(latencies.echo)} ms`,
);

const whole = [];
const kept = [];
const kinds = Object.keys(crowded);
const crowds = Object.fromEntries(kinds.map((kind) => [kind, { rates: [], ms: [] }]));
for (let run = -1; run < runs; run++) {
  const rate = (1000 * count) / (await timed(() => crowded.joined.encode(sentences)));
  const keptRate = (1000 * count) / (await timed(() => cached.encode(sentences)));
  const many = {};
  const one = {};
  for (const kind of kinds) {
    many[kind] = await crowd(crowded[kind], callers);
    one[kind] = await crowd(crowded[kind], 1);
  }
  if (run < 0) continue; // warm
  whole.push(rate);
  kept.push(keptRate);
  for (const kind of kinds) {
    crowds[kind].rates.push(many[kind].rate);
    crowds[kind].ms.push(one[kind].ms);
  }
}
const speed = median(whole);
say(`${count} short sentences in one call`, `${speed.toFixed(0)} texts/s`, `${spread(whole)} texts/s`);
say(
  'the same from the cache',
  `${median(kept).toFixed(0)} texts/s`,
  `${((1000 * count) / median(kept)).toFixed(1)} ms a call`,
);
for (const [kind, name] of Object.entries({ joined: 'joined while busy', waiting: `window of ${windowMs} ms` })) {
  const [own, others] = [crowds[kind], crowds.single];
  say(
    `${callers} callers, one sentence a call, ${name} / one by one`,
    `${(median(own.rates) / median(others.rates)).toFixed(2)}x`,
    `${median(own.rates).toFixed(0)} / ${median(others.rates).toFixed(0)} texts/s`,
  );
  say(
    `time of a lone caller's sentence, ${name} / one by one`,
    `${(median(own.ms) / median(others.ms)).toFixed(2)}x`,
    `${median(own.ms).toFixed(1)} / ${median(others.ms).toFixed(1)} ms`,
  );
}
for (const encoder of [cached, ...Object.values(crowded)]) await encoder.stop();

const measured = peers.filter((peer) => peer.texts_per_second !== undefined && peer.threads === threads);
if (measured.length > 0) {
  const best = Math.max(...measured.map((peer) => peer.texts_per_second));
  say(
    `${count} short sentences, ours / better peer`,
    `${(speed / best).toFixed(2)}x`,
    `ours ${speed.toFixed(0)} texts/s; ${measured.map((peer) => `${peer.peer} ${peer.texts_per_second.toFixed(0)}`).join(', ')}`,
  );
}

const machine = `${cpus().length} cores (${cpus()[0].model}), Node ${process.versions.node}`;
const table = [
  `${cached.info.model} (dimension ${cached.info.dimension}), ${threads} threads, medians of ${runs} interleaved runs; ${machine}:`,
  '',
  '| what | measured | from |',
  '| --- | --- | --- |',
  ...rows.map((row) => `| ${row.join(' | ')} |`),
].join('\n');

if (values.write) {
  writeBlock('docs/benchmarks.md', 'encoder', 'bench/encoder.mjs', table);
}
console.log(table);
