import { createHash } from 'node:crypto';
import { A2sfError } from '@a2sf/errors';
import type { ActionSpace } from '@a2sf/kv-compression';
import { RewardStore, spaceOf, type StoredRow, type StoreProvenance } from '@a2sf/reward-store';
import { pricedLine } from './key-price.js';
import type { KnownPrompts } from './known-prompts.js';
import type { Embedding } from './peers.js';
import { lowest, split, withoutRepeats } from './prompt-split.js';
import type { RewardLine, RewardLines } from './reward-lines.js';

/** Which stored rows a run uses. */
export interface StoreSelection {
  /** Folder of the store that is trained on. */
  readonly train: string;
  /** Folder of the store that is evaluated on; absent: a fifth of the first one's prompts, by their hashes, is held out. */
  readonly evaluation?: string;
  /** Name of the reward, one of those stored. */
  readonly reward: string;
  /** Reward that keeping every key of a prompt costs, in 0..1. Default 0. */
  readonly keyPrice?: number;
  /** Only rows of these datasets; empty means all. */
  readonly datasets: readonly string[];
  /** Evaluation prompts at most; 0 means all. */
  readonly evalSamples: number;
}

/** The rows of a run; no text stands on both sides. */
export interface StoredSets {
  readonly train: StoredPrompts;
  readonly evaluation: StoredPrompts;
  readonly space: ActionSpace;
  readonly provenance: StoreProvenance;
  /** Identity of the encoder behind the reward. */
  readonly rewardEncoderId: string;
  /** What was left out and why, for people. */
  readonly notes: readonly string[];
}

/** Prompts whose embeddings and rewards were stored before. */
export class StoredPrompts implements KnownPrompts {
  readonly complete = true;
  readonly #lines: readonly RewardLine[];
  readonly #embeddings: readonly Embedding[];

  constructor(
    rows: readonly StoredRow[],
    reward: string,
    { encoder_id: encoderId, ...provenance }: StoreProvenance,
    keyPrice = 0,
  ) {
    const own = keyPrice === 0 ? [] : [{ keyPrice }];
    const key = sha256(JSON.stringify([reward, encoderId, provenance, ...own])).slice(0, 16);
    const pricing = { price: keyPrice, space: spaceOf(provenance), budget: provenance.budget };
    this.#lines = rows.map((row, index) => pricedLine(lineOf(row, reward, key, index), pricing));
    this.#embeddings = rows.map(({ embedding, promptTokens: tokens }) => {
      return { values: Array.from(embedding), tokens, truncated: false, empty: false, encoderId };
    });
  }

  get size(): number {
    return this.#lines.length;
  }

  dataset(index: number): string {
    return this.#lines[index]!.dataset ?? '';
  }

  embeddings(indices: readonly number[]): Promise<Embedding[]> {
    return Promise.resolve(indices.map((index) => this.#embeddings[index]!));
  }

  rows(
    indices: readonly number[],
    _signal?: AbortSignal,
    onProgress?: (done: number, of: number) => void,
  ): Promise<RewardLine[]> {
    onProgress?.(indices.length, indices.length);
    return Promise.resolve(indices.map((index) => this.#lines[index]!));
  }

  /** SHA-256 of all that is learnt from these rows, before the price of the kept keys. */
  hash(): string {
    const hash = createHash('sha256');
    for (const [index, line] of this.#lines.entries()) {
      const { hash: text, dataset, gross_full: full = line.full, gross_rewards: rewards = line.rewards } = line;
      hash.update(`${JSON.stringify([text, dataset, full, rewards])}\n`);
      hash.update(Float32Array.from(this.#embeddings[index]!.values));
    }
    return hash.digest('hex');
  }

  /** Leaves the rows in a run's folder, where its report looks for them. */
  async record(file: RewardLines): Promise<void> {
    const there = new Set(file.read().map(({ key, hash }) => `${key} ${hash}`));
    for (const line of this.#lines) if (!there.has(`${line.key} ${line.hash}`)) await file.append(line);
  }
}

/**
 * Reads the rows of a run from one store or two. Throws INVALID_ARGUMENT naming `from_store`, `eval_store`, `reward` or
 * `datasets`; FAILED_PRECONDITION (`different-stores`) when the two were built from other models or settings, and what
 * RewardStore throws.
 */
export async function readStoredPrompts(selection: StoreSelection): Promise<StoredSets> {
  const { reward, datasets, evalSamples, keyPrice } = selection;
  const notes: string[] = [];
  const [train, trainRows] = await open(selection.train, 'from_store', selection, notes);
  const { provenance } = train.manifest;
  let sides: { readonly train: StoredRow[]; readonly evaluation: StoredRow[] };
  if (selection.evaluation === undefined) {
    sides = split(trainRows);
  } else {
    const [evaluation, evaluationRows] = await open(selection.evaluation, 'eval_store', selection, notes);
    requireAlike(provenance, evaluation.manifest.provenance);
    const held = new Set(evaluationRows.map(({ hash }) => hash));
    sides = { train: trainRows.filter(({ hash }) => !held.has(hash)), evaluation: evaluationRows };
    const both = trainRows.length - sides.train.length;
    if (both > 0) notes.push(`${both} training prompts are evaluation prompts too and were left out`);
  }
  const evaluation = lowest(withoutRepeats(sides.evaluation), evalSamples);
  if (sides.train.length === 0 || evaluation.length === 0) {
    const lacking = sides.train.length === 0 ? 'training' : 'evaluation';
    const of = datasets.length === 0 ? '' : ` of ${datasets.join(', ')}`;
    throw A2sfError.invalid('from_store', `holds no ${lacking} prompts${of}`);
  }
  return {
    train: new StoredPrompts(sides.train, reward, provenance, keyPrice),
    evaluation: new StoredPrompts(evaluation, reward, provenance, keyPrice),
    space: train.space,
    provenance,
    rewardEncoderId: train.manifest.rewards.find(({ name }) => name === reward)!.encoder_id,
    notes,
  };
}

async function open(
  folder: string,
  field: string,
  { reward, datasets }: StoreSelection,
  notes: string[],
): Promise<[RewardStore, StoredRow[]]> {
  const store = await RewardStore.open(folder, field);
  if (!store.hasActions) throw A2sfError.invalid(field, 'the store holds rewards of the full cache alone');
  if (!store.rewardNames.includes(reward)) {
    throw A2sfError.invalid('reward', `must be one that ${folder} holds: ${store.rewardNames.join(', ')}`);
  }
  const all: StoredRow[] = [];
  for await (const row of store.rows()) all.push(row);
  const known = new Set(all.map(({ dataset }) => dataset));
  const unknown = datasets.find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw A2sfError.invalid(
      'datasets',
      `${folder} holds no rows of ${unknown}, only of ${[...known].sort().join(', ')}`,
    );
  }
  if (store.keptAllCount > 0) notes.push(`${field}: ${store.keptAllCount} prompts fit the budget and are left out`);
  return [store, all.filter(({ dataset }) => datasets.length === 0 || datasets.includes(dataset))];
}

/** What two stores must have in common for the numbers of one to mean anything for the other. */
const shared = [
  'model_id',
  'encoder_id',
  'embedding_dimension',
  'a_values',
  'b_values',
  'budgets',
  'budget',
  'recent',
  'max_new_tokens',
  'max_prompt_tokens',
] as const satisfies readonly (keyof StoreProvenance)[];

function requireAlike(train: StoreProvenance, evaluation: StoreProvenance): void {
  const text = (provenance: StoreProvenance, name: (typeof shared)[number]) => JSON.stringify(provenance[name]);
  const different = shared.filter((name) => text(train, name) !== text(evaluation, name));
  if (different.length === 0) return;
  const told = different.map((name) => `${name} ${text(evaluation, name)} and not ${text(train, name)}`);
  const message = `eval_store: was built with ${told.join(', ')} as the store that is trained on`;
  throw new A2sfError('FAILED_PRECONDITION', message, { field: 'eval_store', reason: 'different-stores' });
}

function lineOf(row: StoredRow, reward: string, key: string, index: number): RewardLine {
  const { id, dataset, hash, promptTokens, rewards, fullRewards } = row;
  return {
    key,
    index,
    id,
    dataset,
    hash,
    prompt_tokens: promptTokens,
    kept_all: false,
    full: fullRewards.get(reward)!,
    rewards: rewards.get(reward)!,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
