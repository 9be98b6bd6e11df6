import { A2sfError } from '@a2sf/errors';

/** The texts that the actions gave: each different one once. */
export interface StoredTexts {
  readonly unique: readonly string[];
  /** Of each action, in the order of the space: the index of its text in `unique`. */
  readonly index: readonly number[];
}

/** What a store holds of one prompt. */
export interface StoredRow {
  readonly id: string;
  readonly dataset: string;
  /** SHA-256 of the prompt's text, hexadecimal. */
  readonly hash: string;
  /** Tokens of the prompt as the generator read it. */
  readonly promptTokens: number;
  /** True when the prompt fits the budget: every action gives the full cache's text, and nothing more is stored of it. */
  readonly keptAll: boolean;
  readonly answers: readonly string[];
  readonly allClasses: readonly string[];
  /** The full cache's text. */
  readonly full: string;
  readonly texts: StoredTexts;
  readonly embedding: Float32Array;
  /** Of each reward, what every action earns, in the order of the space; each in 0..1. */
  readonly rewards: ReadonlyMap<string, readonly number[]>;
  /** Of each reward, what the full cache earns, in 0..1. */
  readonly fullRewards: ReadonlyMap<string, number>;
}

/** A row as a line of rows.jsonl. */
export interface StoreLine {
  readonly id: string;
  readonly dataset: string;
  readonly hash: string;
  readonly prompt_tokens: number;
  readonly kept_all: boolean;
  readonly answers: readonly string[];
  readonly all_classes: readonly string[];
  readonly full: { readonly text: string };
  readonly texts: StoredTexts;
  /** float32, little endian, base64. */
  readonly embedding: string;
  readonly rewards: Readonly<Record<string, readonly number[]>>;
  readonly full_rewards: Readonly<Record<string, number>>;
}

/** What the rows of a store must have. */
export interface RowShape {
  readonly dimension: number;
  /** Actions per row: 0 when the full cache alone was asked. */
  readonly actions: number;
  readonly rewards: readonly string[];
}

/** The line of a row. */
export function encodeRow(row: StoredRow): StoreLine {
  return {
    id: row.id,
    dataset: row.dataset,
    hash: row.hash,
    prompt_tokens: row.promptTokens,
    kept_all: row.keptAll,
    answers: row.answers,
    all_classes: row.allClasses,
    full: { text: row.full },
    texts: row.texts,
    embedding: encodeFloats(row.embedding),
    rewards: Object.fromEntries(row.rewards),
    full_rewards: Object.fromEntries(row.fullRewards),
  };
}

/** The row of a line; `place` names it in errors. Throws DATA_LOSS naming the field that is not as the shape says. */
export function decodeRow(value: unknown, shape: RowShape, place: string): StoredRow {
  const broken = (problem: string) => new A2sfError('DATA_LOSS', `${place}: ${problem}`, { field: place });
  if (typeof value !== 'object' || value === null) throw broken('is no row');
  const line = value as Partial<StoreLine>;
  const { id, dataset, hash, prompt_tokens: promptTokens, kept_all: keptAll, answers, all_classes: allClasses } = line;
  if (typeof id !== 'string' || typeof dataset !== 'string' || typeof hash !== 'string')
    throw broken('names no prompt');
  if (!isIndex(promptTokens) || typeof keptAll !== 'boolean') throw broken('lacks prompt_tokens or kept_all');
  if (!areTexts(answers) || !areTexts(allClasses)) throw broken('lacks answers or all_classes');
  const { full, texts, embedding: encoded } = line;
  if (typeof full?.text !== 'string' || typeof encoded !== 'string') throw broken('lacks full or embedding');
  if (!areTexts(texts?.unique) || !Array.isArray(texts.index)) throw broken('lacks texts');
  const { unique } = texts;
  const expected = keptAll ? { dimension: 0, actions: 0, rewards: [] } : shape;
  if (texts.index.length !== expected.actions || !texts.index.every((index) => isIndex(index) && index < unique.length))
    throw broken(`texts: must name the text of each of ${expected.actions} actions`);
  const embedding = decodeFloats(encoded);
  if (embedding?.length !== expected.dimension || !embedding.every(Number.isFinite))
    throw broken(`embedding: must be ${expected.dimension} finite numbers`);
  const [earned, fullEarned] = [entriesOf(line.rewards), entriesOf(line.full_rewards)];
  const rewards = new Map<string, readonly number[]>();
  const fullRewards = new Map<string, number>();
  for (const name of expected.rewards) {
    const [row, whole] = [earned.get(name), fullEarned.get(name)];
    if (!Array.isArray(row) || row.length !== expected.actions || !row.every(isReward) || !isReward(whole))
      throw broken(`rewards: ${name} must be ${expected.actions} numbers in 0..1, and one of the full cache`);
    rewards.set(name, row);
    fullRewards.set(name, whole);
  }
  const about = { id, dataset, hash, promptTokens, keptAll, answers, allClasses, full: full.text };
  return { ...about, texts, embedding, rewards, fullRewards };
}

function entriesOf(value: unknown): Map<string, unknown> {
  return new Map(Object.entries(typeof value === 'object' && value !== null ? value : {}));
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isReward(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function encodeFloats(values: Float32Array): string {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, 4 * i);
  return bytes.toString('base64');
}

function decodeFloats(text: string): Float32Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % 4 !== 0) return undefined;
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}
