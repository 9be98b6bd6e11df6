// How many short sentences a second does transformers.js embed, on the CPU?
//
//   node transformers-js-speed.mjs --package DIR --model DIR [--threads 2] [--sentences 256] [--runs 7] [--batch 32]
//
// --package is the folder where `npm install @huggingface/transformers@3` was run; the model's folder holds
// onnx/model.onnx (export_encoder_onnx.py makes it). Prints one JSON line for bench/encoder.mjs --peers. Sentences are
// sorted by length and read in batches, mean-pooled and normalised; the best of the given batch sizes counts.
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { shortSentences } from './short-sentences.mjs';

const { values } = parseArgs({
  options: {
    package: { type: 'string', default: '.' },
    model: { type: 'string' },
    threads: { type: 'string', default: '2' },
    sentences: { type: 'string', default: '256' },
    runs: { type: 'string', default: '7' },
    batch: { type: 'string', default: '8,32,256' },
  },
});
if (values.model === undefined) throw new Error('--model DIR is required');
const entry = createRequire(join(resolve(values.package), 'package.json')).resolve('@huggingface/transformers');
const { default: transformers } = await import(pathToFileURL(entry).href);
const { env, pipeline } = transformers;
const [threads, count, runs] = [values.threads, values.sentences, values.runs].map(Number);
const folder = resolve(values.model);
env.allowRemoteModels = false;
env.localModelPath = dirname(folder);
const embed = await pipeline('feature-extraction', basename(folder), {
  dtype: 'fp32',
  device: 'cpu',
  session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
});

const sentences = shortSentences(count).toSorted((x, y) => x.length - y.length);
async function measure(size) {
  const start = performance.now();
  for (let i = 0; i < count; i += size) {
    await embed(sentences.slice(i, i + size), { pooling: 'mean', normalize: true });
  }
  return performance.now() - start;
}

const sizes = values.batch.split(',').map(Number);
const times = sizes.map(() => []);
for (let run = -1; run < runs; run++) {
  for (const [i, size] of sizes.entries()) {
    const ms = await measure(size);
    if (run >= 0) times[i].push(ms); // the first warms
  }
}
const medians = times.map((all) => all.toSorted((x, y) => x - y)[all.length >> 1]);
const best = Math.min(...medians);
console.log(
  JSON.stringify({
    peer: `transformers.js ${env.version} (onnxruntime-node, batches of ${sizes[medians.indexOf(best)]})`,
    weights: 'float32',
    threads,
    texts_per_second: Number(((1000 * count) / best).toFixed(1)),
  }),
);
