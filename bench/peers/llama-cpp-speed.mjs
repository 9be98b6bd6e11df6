// How fast are prefill and decoding of a GGUF file in llama.cpp, on the CPU?
//
//   node llama-cpp-speed.mjs --package DIR --model FILE.gguf [--threads 2] [--tokens 1024,4096] [--new_tokens 33]
//                            [--runs 5] [--batch 512] [--flash_attention]
//
// --package is the folder where `npm install node-llama-cpp@3` was run. Prints one JSON line for bench/generator.mjs
// --peers: tokens per second, medians of the runs. The prompts are those of that benchmark: token i is
// 3 + (i * 7919) mod (vocab - 3). The last token of the prompt is read by the call that gives the first new token, as in
// every text; decoding is the greedy choice of the others, one at a time, from the full cache.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    package: { type: 'string', default: '.' },
    model: { type: 'string' },
    threads: { type: 'string', default: '2' },
    tokens: { type: 'string', default: '1024,4096' },
    new_tokens: { type: 'string', default: '33' },
    runs: { type: 'string', default: '5' },
    batch: { type: 'string', default: '512' },
    flash_attention: { type: 'boolean', default: false },
  },
});
if (values.model === undefined) throw new Error('--model FILE.gguf is required');
const entry = createRequire(join(resolve(values.package), 'package.json')).resolve('node-llama-cpp');
const { getLlama, getModuleVersion, GgufFileType } = await import(pathToFileURL(entry).href);

const lengths = values.tokens.split(',').map(Number);
const [threads, newTokens, runs, batchSize] = [values.threads, values.new_tokens, values.runs, values.batch].map(
  Number,
);
const median = (numbers) => numbers.toSorted((x, y) => x - y)[numbers.length >> 1];

const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, logLevel: 'error' });
const model = await llama.loadModel({ modelPath: resolve(values.model), gpuLayers: 0 });
const { metadata } = model.fileInfo;
const vocab = metadata.tokenizer.ggml.tokens.length;
const contextSize = Math.max(...lengths) + newTokens + 8;
const context = await model.createContext({ contextSize, batchSize, threads, flashAttention: values.flash_attention });
const sequence = context.getSequence();

/** Milliseconds of one prefill, and of one decoded token after it. */
async function measure(length) {
  const ids = Array.from({ length }, (_, i) => 3 + ((i * 7919) % (vocab - 3)));
  await sequence.clearHistory();
  const start = performance.now();
  let first;
  let made = 0;
  for await (const _ of sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })) {
    first ??= performance.now();
    if (++made === newTokens) break;
  }
  return { prefill: first - start, decode: (performance.now() - first) / (newTokens - 1) };
}

const prefill = {};
const decode = {};
for (const length of lengths) {
  await measure(64); // warm
  const times = [];
  for (let run = 0; run < runs; run++) times.push(await measure(length));
  prefill[length] = Number(((1000 * length) / median(times.map((time) => time.prefill))).toFixed(1));
  decode[length] = Number((1000 / median(times.map((time) => time.decode))).toFixed(2));
}

const type = GgufFileType[metadata.general.file_type] ?? 'unknown';
console.log(
  JSON.stringify({
    peer: `llama.cpp (node-llama-cpp ${await getModuleVersion()}${values.flash_attention ? ', flash attention' : ''})`,
    weights: type === 'ALL_F32' ? 'float32' : type.replace('MOSTLY_', ''),
    threads,
    prefill_tokens_per_second: prefill,
    decode_tokens_per_second: decode,
  }),
);
process.exit(0); // the bindings keep the process alive
