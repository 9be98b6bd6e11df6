// What do quantised weights cost in quality and gain in speed? Perplexity of texts, the share of kept positions that
// agrees with float32, the size of the weight file, milliseconds a decoded token (one row, median of the prompts), and
// what each form writes after the same words.
//
//   npm run build && node bench/quantisation.mjs --model_name DIR --data DIR [--prompts 8] [--tokens 512]
//                                                [--budget 128] [--new_tokens 33] [--threads 2] [--write]
//
// DIR has LongBench's multi_news.jsonl, lines with a `context`; another file of such lines may be named itself. Every
// prompt is cut to its first --tokens tokens. --write puts table and texts between the marks of docs/quantisation.md.
import { createReadStream, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { LanguageModel, Tokenizer } from '@a2sf/inference';
import { loadLanguageModel } from '@a2sf/model-zoo';
import { writeBlock } from './write-block.mjs';

const { values } = parseArgs({
  options: {
    model_name: { type: 'string' },
    data: { type: 'string' },
    prompts: { type: 'string', default: '8' },
    tokens: { type: 'string', default: '512' },
    budget: { type: 'string', default: '128' },
    new_tokens: { type: 'string', default: '33' },
    threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    write: { type: 'boolean', default: false },
  },
});
for (const name of ['model_name', 'data']) if (values[name] === undefined) throw new Error(`--${name} is missing`);
const folder = resolve(values.model_name);
const dataFile = statSync(values.data).isDirectory() ? join(values.data, 'multi_news.jsonl') : values.data;
const [wantedPrompts, length, budget, newTokens, threads] = [
  values.prompts,
  values.tokens,
  values.budget,
  values.new_tokens,
  values.threads,
].map(Number);
/** Recency, heavy hitters, and two in between. */
const actions = [
  [0, 1],
  [0.01, 16],
  [0.1, 64],
  [1, 256],
].map(([a, b]) => ({ a, b }));
const opening = 'The water cycle begins when the sun';
const control = { checkCancelled: () => {} };

const prompts = [];
const tokenizer = Tokenizer.load(folder);
for await (const line of createInterface({ input: createReadStream(dataFile) })) {
  const ids = tokenizer.encode(JSON.parse(line).context).slice(0, length);
  if (ids.length === length) prompts.push(ids);
  if (prompts.length === wantedPrompts) break;
}
if (prompts.length === 0) throw new Error(`${dataFile} has no text of ${length} tokens`);

/** Sum over the tokens behind the first of -ln P(token | those before it). */
async function surprise(model, ids) {
  const places = ids.slice(1).map((_, i) => i);
  const logits = await model.logits(ids, places);
  return logits.reduce((sum, row, i) => {
    const most = row.reduce((x, y) => Math.max(x, y), -Infinity);
    const total = row.reduce((x, y) => x + Math.exp(y - most), 0);
    return sum + most + Math.log(total) - row[ids[i + 1]];
  }, 0);
}

/** Kept positions per prompt and action: a list of sets, one per layer and head. */
async function keptSets(model, ids) {
  const sets = [];
  for (const action of actions) {
    const input = {
      prompt: { source: { ids }, truncate: false, maxPromptTokens: 0, wrap: 'none' },
      compression: { action, budget, recent: 16 },
      layers: [],
      withScores: false,
    };
    const { layers } = await model.inspect(input, control);
    for (const { heads } of layers) for (const { positions } of heads) sets.push(new Set(positions));
  }
  return sets;
}

async function measure(weights) {
  const started = performance.now();
  const model = await LanguageModel.load({ name: basename(folder), folder, threads, contextTokens: 1024, weights });
  const loadMs = performance.now() - started;
  let nats = 0;
  const kept = [];
  const decodeMs = [];
  const prefillMs = [];
  for (const ids of prompts) {
    nats += await surprise(model, ids);
    kept.push(await keptSets(model, ids));
    const input = {
      prompt: { source: { ids }, truncate: false, maxPromptTokens: 0, wrap: 'none' },
      maxNewTokens: newTokens,
      ignoreEos: true,
      stop: [],
    };
    const result = await model.generate(input, () => {}, control);
    decodeMs.push(result.decodeMs / (result.generatedTokens - 1)); // the prefill made the first one
    prefillMs.push(result.prefillMs);
  }
  const written = await sample(model);
  await model.dispose();
  const perplexity = Math.exp(nats / (prompts.length * (length - 1)));
  const speed = { decode: median(decodeMs), prefill: median(prefillMs) };
  return { weights, loadMs, bytes: fileBytes(weights), perplexity, kept, ...speed, written };
}

/** What the model writes, greedily, after the opening. */
async function sample(model) {
  const input = {
    prompt: { source: { text: opening }, truncate: false, maxPromptTokens: 0, wrap: 'none' },
    maxNewTokens: 40,
    ignoreEos: false,
    stop: [],
  };
  let text = '';
  await model.generate(input, (chunk) => (text += chunk.text), control);
  return text;
}

/** Bytes of the files that the weights are read from. */
function fileBytes(weights) {
  return loadLanguageModel(folder, 1024, { weights }).weights.files.reduce((sum, file) => sum + statSync(file).size, 0);
}

function median(numbers) {
  return numbers.sort((x, y) => x - y)[numbers.length >> 1];
}

/** Mean share of the reference's kept positions that are kept too. */
function agreement(kept, reference) {
  const shares = kept.flatMap((sets, prompt) => sets.map((set, i) => overlap(set, reference[prompt][i])));
  return shares.reduce((x, y) => x + y, 0) / shares.length;
}

function overlap(x, y) {
  return [...x].filter((position) => y.has(position)).length / x.size;
}

/** Text in one cell of a Markdown table. */
function cell(text) {
  return text
    .trim()
    .replace(/\s+/gu, ' ')
    .replace(/[\\|*_`<>[\]]/gu, (mark) => `\\${mark}`);
}

const rows = [];
for (const weights of ['float32', 'int8', 'int4']) rows.push(await measure(weights));
const reference = rows[0];
const table = rows.map((row) => {
  const more = ((row.perplexity / reference.perplexity - 1) * 100).toFixed(2);
  const same = (agreement(row.kept, reference.kept) * 100).toFixed(1);
  return `| ${row.weights} | ${row.perplexity.toFixed(3)} | ${more} % | ${same} % | ${(row.bytes / 1e6).toFixed(1)} | ${row.decode.toFixed(1)} | ${row.prefill.toFixed(0)} | ${row.loadMs.toFixed(0)} |`;
});
const block = [
  `${basename(folder)}, ${prompts.length} texts of ${length} tokens of ${basename(dataFile)}, ${actions.length} actions at a budget of ${budget}; Node ${process.versions.node}, ${threads} threads:`,
  '',
  '| weights | perplexity | more than float32 | kept positions that agree | MB of weight file | ms a decoded token | ms a prefill | ms to load |',
  '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ...table,
  '',
  `What each writes, greedily, after “${opening}”:`,
  '',
  '| weights | text |',
  '| --- | --- |',
  ...rows.map((row) => `| ${row.weights} | ${cell(row.written)} |`),
].join('\n');
console.log(block);
if (values.write) {
  writeBlock('docs/quantisation.md', 'quantisation', 'bench/quantisation.mjs', block);
}
