import type { TokenLogProb } from './language-model-types.js';
import { newTokenFeeds, stepsFeed, type StepModel } from './decode-step.js';
import { KvCache, type KeptPositions } from './kv-cache.js';
import type { Turns } from './turns.js';

/** Rows of logits that one run computes: bounds its memory to this many times the vocabulary. */
const rowsTogether = 512;

/** ln softmax(logits)[token] and the `count` most probable tokens, the lower id first on ties. logits: [V]. */
export function tokenLogProb(logits: Float32Array, token: number, count: number): TokenLogProb {
  const largest = logits.reduce((max, logit) => Math.max(max, logit), -Infinity);
  const total = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  const top: { token: number; logProb: number }[] = [];
  logits.forEach((logit, id) => {
    if (top.length === count && (count === 0 || logit <= logits[top.at(-1)!.token]!)) return;
    const at = top.findIndex((other) => logits[other.token]! < logit);
    top.splice(at < 0 ? top.length : at, 0, { token: id, logProb: atMost0(logit - total) });
    if (top.length > count) top.pop();
  });
  return { logProb: atMost0(logits[token]! - total), top };
}

/**
 * Teacher forcing: ln P(tokens[i] | row's keys, tokens before) for i >= 1, for every row of a cache, all tokens of a row in
 * one pass. The first token's probability is the prefill's to tell. The cache is read only.
 * @returns [rows][tokens.length - 1]
 */
export async function continuationLogProbs(
  model: StepModel,
  turns: Turns,
  cache: KvCache,
  tokens: readonly number[],
  position: number,
): Promise<number[][]> {
  const length = tokens.length - 1;
  if (length === 0) return Array.from({ length: cache.rows }, () => []);
  const rows = cache.rows;
  const repeat = (row: readonly number[]): number[] => Array.from({ length: rows }, () => row).flat();
  const given = tokens.slice(0, -1);
  const feeds = newTokenFeeds(
    cache,
    repeat(given),
    repeat(given.map((_, i) => position + i)),
    [rows, length],
    repeat(tokens.slice(1)),
  );
  const result = await turns.take(() => model.session.run({ ...feeds, ...stepsFeed(model, 0) }, ['log_probs']));
  const all = Array.from(result['log_probs']!.data as Float32Array, atMost0);
  return Array.from({ length: rows }, (_, row) => all.slice(row * length, (row + 1) * length));
}

/**
 * Teacher forcing under many selections of a prompt's keys, undefined = all of them; equal sizes share a pass.
 * @param prompt its full cache, and the logits [V] after its last position.
 * @returns ln P(tokens[i] | keys, tokens before): [selections][tokens.length]
 */
export async function logProbsUnder(
  model: StepModel,
  turns: Turns,
  { cache, logits }: { readonly cache: KvCache; readonly logits: Float32Array },
  selections: readonly (KeptPositions | undefined)[],
  tokens: readonly number[],
): Promise<number[][]> {
  const position = cache.lengths[0]!;
  const first = tokenLogProb(logits, tokens[0]!, 0).logProb;
  const groups = new Map<number, KeptPositions[]>();
  for (const kept of selections) {
    if (kept === undefined) continue;
    const size = kept[0]![0]!.length;
    groups.set(size, [...(groups.get(size) ?? []), kept]);
  }
  const later = new Map<KeptPositions | undefined, number[]>();
  for (const [size, group] of groups) {
    const together = scoredTogether(tokens.length);
    for (let at = 0; at < group.length; at += together) {
      const batch = group.slice(at, at + together);
      const rows = new KvCache(model.shape, batch.length, size);
      batch.forEach((kept, row) => rows.gather(row, cache, kept));
      const result = await continuationLogProbs(model, turns, rows, tokens, position);
      batch.forEach((kept, row) => later.set(kept, result[row]!));
    }
  }
  if (selections.includes(undefined)) {
    const [full] = await continuationLogProbs(model, turns, cache, tokens, position);
    later.set(undefined, full!);
  }
  return selections.map((kept) => [first, ...later.get(kept)!]);
}

/** Rows that may be scored together for a continuation of this many tokens. */
const scoredTogether = (tokens: number): number => Math.max(1, Math.floor(rowsTogether / tokens));

/** Rounding must not make a probability larger than 1. */
const atMost0 = (logProb: number): number => Math.min(logProb, 0);
