import type { PromptWrapOutput } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import type { Action } from '@a2sf/kv-compression';
import { inOrder } from './in-order.js';
import { spaceOf, type StoreManifest } from './manifest.js';
import { earnedRewards, type Outcome, type Reference, type Reward, type Score } from './reward-scoring.js';
import type { StoredRow, StoredTexts } from './store-row.js';
import { StoreWriter, type StoreDefinition } from './store-writer.js';

/** One prompt of a store. */
export interface StorePrompt extends Reference {
  readonly text: string;
  /** SHA-256 of the text, hexadecimal. */
  readonly hash: string;
  readonly wrap: PromptWrapOutput;
}

/** A prompt to be decoded under some actions from one prefill. */
export interface StoreSweep {
  readonly text: string;
  readonly actions: readonly Action[];
  readonly budget: number;
  readonly recent: number;
  readonly maxNewTokens: number;
  readonly includeFull: boolean;
  readonly scoreFull: boolean;
  readonly wrap: PromptWrapOutput;
  readonly maxPromptTokens: number;
}

/** What a sweep gave. */
export interface StoreSweepOutcome {
  readonly full: Outcome | undefined;
  /** One per action, in the order asked. */
  readonly texts: readonly Outcome[];
  readonly promptTokens: number;
}

/** The services that a store is computed by; the `Peers` of the training library are such. */
export interface StorePeers<Task> {
  encode(
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly { readonly values: readonly number[]; readonly encoderId: string }[]>;
  /** May be called for several prompts at once; spreads them over the generators. */
  sweep(task: StoreSweep, signal?: AbortSignal): Promise<StoreSweepOutcome>;
  readonly score: Score<Task>;
}

/** What a store is built from. */
export interface StoreBuild<Task, P extends StorePrompt> {
  readonly folder: string;
  readonly definition: StoreDefinition;
  readonly prompts: readonly P[];
  /** Those that the definition names, in its order. */
  readonly rewards: readonly Reward<Task, P>[];
  readonly peers: StorePeers<Task>;
  /** Prompts in work at the same time, and rows that wait for an earlier one, at most. */
  readonly window: number;
  readonly onProgress?: (done: number, of: number, keptAll: number) => void;
}

/**
 * Computes the rows that a store lacks, each from one sweep, one embedding and one batch of scores, and finishes it. Rows
 * stand in the order of the prompts, so that the store is the same bytes whatever the number and speed of the generators,
 * and however often it was interrupted, as far as they answer the same: the last bits of float32 probabilities (`log_prob`)
 * are theirs. Throws what StoreWriter.open throws; the first failure of a service, after the
 * rows before it were written.
 */
export async function buildStore<Task, P extends StorePrompt>(
  build: StoreBuild<Task, P>,
  signal?: AbortSignal,
): Promise<StoreManifest> {
  const { folder, definition, prompts, window, onProgress } = build;
  const hashes = prompts.map(({ hash }) => hash);
  const writer = await StoreWriter.open(folder, definition, hashes);
  try {
    const told = () => onProgress?.(writer.size, prompts.length, writer.keptAll);
    told();
    await inOrder(
      prompts.slice(writer.size),
      window,
      (prompt, either) => rowOf(prompt, build, either),
      async (row) => {
        await writer.append(row);
        told();
      },
      signal,
    );
    return await writer.finish();
  } finally {
    await writer.close();
  }
}

async function rowOf<Task, P extends StorePrompt>(
  prompt: P,
  { definition, rewards, peers }: StoreBuild<Task, P>,
  signal: AbortSignal,
): Promise<StoredRow> {
  const { provenance } = definition;
  const { budget, recent, max_new_tokens: maxNewTokens, max_prompt_tokens: maxPromptTokens } = provenance;
  const space = spaceOf(provenance);
  const all = provenance.actions === 'all';
  const task: StoreSweep = {
    text: prompt.text,
    wrap: prompt.wrap,
    // A sweep has one action at least; with `none` its text is not looked at.
    actions: all ? space.actions() : [space.at(0)],
    includeFull: true,
    scoreFull: rewards.some((reward) => reward.needsLogProbs),
    budget,
    recent,
    maxNewTokens,
    maxPromptTokens,
  };
  const outcome = await peers.sweep(task, signal);
  const { promptTokens, full } = outcome;
  if (full === undefined || (all && outcome.texts.length !== space.size)) {
    throw malformed('generator', `must answer the full cache's text and that of ${space.size} actions`);
  }
  const { id, dataset, hash, answers, allClasses } = prompt;
  const about = { id, dataset, hash, promptTokens, answers, allClasses, full: full.text };
  if (promptTokens <= budget) {
    const nothing = { texts: { unique: [], index: [] }, embedding: new Float32Array(), rewards: new Map() };
    return { ...about, keptAll: true, ...nothing, fullRewards: new Map() };
  }
  const outcomes = all ? outcome.texts : [];
  const embedding = await embeddingOf(prompt.text, peers, provenance, signal);
  const earned = await earnedRewards(prompt, full, outcomes, { rewards, score: peers.score.bind(peers) }, signal);
  const texts = uniqueTexts(outcomes.map(({ text }) => text));
  return { ...about, keptAll: false, texts, embedding, ...earned };
}

async function embeddingOf<Task>(
  text: string,
  peers: StorePeers<Task>,
  { encoder_id: encoderId, embedding_dimension: dimension }: StoreDefinition['provenance'],
  signal: AbortSignal,
): Promise<Float32Array> {
  const [embedding] = await peers.encode([text], signal);
  if (embedding === undefined) throw malformed('encoder', 'answered no embedding');
  if (embedding.encoderId !== encoderId) {
    const message = `encoder: its model changed from ${encoderId} to ${embedding.encoderId}`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'encoder', reason: 'other-encoder' });
  }
  const values = Float32Array.from(embedding.values);
  if (values.length !== dimension || !values.every(Number.isFinite)) {
    throw malformed('encoder', `must answer ${dimension} finite numbers`);
  }
  return values;
}

function uniqueTexts(texts: readonly string[]): StoredTexts {
  const unique = [...new Set(texts)];
  const indexOf = new Map(unique.map((text, index) => [text, index]));
  return { unique, index: texts.map((text) => indexOf.get(text)!) };
}

function malformed(peer: string, problem: string): A2sfError {
  return new A2sfError('INTERNAL', `${peer}: ${problem}`, { field: peer, reason: 'malformed-answer' });
}
