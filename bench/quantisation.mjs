// What do quantised weights cost in quality and gain in speed? Perplexity of texts, the share of kept positions that
// agrees with float32, and milliseconds a decoded token (one row, median of the prompts).
//
//   npm run build && node bench/quantisation.mjs --model_name DIR --data FILE [--prompts 8] [--tokens 512]
//                                                [--budget 128] [--new_tokens 33] [--threads 2] [--write]
//
// FILE is JSON lines with a `context`, as LongBench's multi_news has it. Every prompt is cut to its first --tokens tokens.
// --write puts the table into docs/quantisation.md.
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { spawnSync } from 'node:child_process';
import { LanguageModel, Tokenizer } from '@a2sf/inference';

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
const folder = resolve(values.model_name);
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
const control = { checkCancelled: () => {} };

const prompts = [];
const tokenizer = Tokenizer.load(folder);
for await (const line of createInterface({ input: createReadStream(values.data) })) {
  const ids = tokenizer.encode(JSON.parse(line).context).slice(0, length);
  if (ids.length === length) prompts.push(ids);
  if (prompts.length === wantedPrompts) break;
}
if (prompts.length === 0) throw new Error(`${values.data} has no text of ${length} tokens`);

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
  await model.dispose();
  const perplexity = Math.exp(nats / (prompts.length * (length - 1)));
  return { weights, loadMs, perplexity, kept, decode: median(decodeMs), prefill: median(prefillMs) };
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

const rows = [];
for (const weights of ['float32', 'int8', 'int4']) rows.push(await measure(weights));
const reference = rows[0];
const table = rows.map((row) => {
  const more = ((row.perplexity / reference.perplexity - 1) * 100).toFixed(2);
  const same = (agreement(row.kept, reference.kept) * 100).toFixed(1);
  return `| ${row.weights} | ${row.perplexity.toFixed(3)} | ${more} % | ${same} % | ${row.decode.toFixed(1)} | ${row.prefill.toFixed(0)} | ${row.loadMs.toFixed(0)} |`;
});
const block = [
  `${basename(folder)}, ${prompts.length} texts of ${length} tokens of ${basename(values.data)}, ${actions.length} actions at a budget of ${budget}; Node ${process.versions.node}, ${threads} threads:`,
  '',
  '| weights | perplexity | more than float32 | kept positions that agree | ms a decoded token | ms a prefill | ms to load |',
  '| --- | --- | --- | --- | --- | --- | --- |',
  ...table,
].join('\n');
console.log(block);
if (values.write) {
  const file = fileURLToPath(new URL('../docs/quantisation.md', import.meta.url));
  const [begin, end] = ['<!-- quantisation: written by bench/quantisation.mjs -->', '<!-- end of quantisation -->'];
  const text = readFileSync(file, 'utf8');
  const before = text.slice(0, text.indexOf(begin) + begin.length);
  writeFileSync(file, `${before}\n\n${block}\n\n${text.slice(text.indexOf(end))}`);
  spawnSync('npx', ['prettier', '--write', '--log-level', 'error', file], { stdio: 'inherit' });
}
