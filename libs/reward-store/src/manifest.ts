import { A2sfError } from '@a2sf/errors';
import { ActionSpace } from '@a2sf/kv-compression';

/** Name of the format in a manifest. */
export const storeFormat = 'a2sf-reward-store';
/** Newest version of the format; older ones are read. 2: the actions may have budgets. */
export const storeFormatVersion = 2;
export const manifestFile = 'manifest.json';
export const rowsFile = 'rows.jsonl';

/** A data file that a store was built from. */
export interface DataFile {
  /** Its name without its folder. */
  readonly file: string;
  /** SHA-256 of its bytes, hexadecimal. */
  readonly sha256: string;
}

/** All that the texts and embeddings of a store follow from; two stores of equal provenance hold equal rows. */
export interface StoreProvenance {
  /** Version of the suite that computed the rows. */
  readonly code_version: string;
  /** Identity of the generators' weights: name and hash. */
  readonly model_id: string;
  /** Arithmetic type of the generators. */
  readonly dtype: string;
  readonly encoder_id: string;
  readonly embedding_dimension: number;
  readonly data: readonly DataFile[];
  readonly prompts: number;
  /** SHA-256 over the prompts in order, their answers, classes and wraps. */
  readonly prompts_sha256: string;
  /** `all`: every action of the space was tried; `none`: the full cache alone. */
  readonly actions: 'all' | 'none';
  readonly a_values: readonly number[];
  readonly b_values: readonly number[];
  /** Budgets of the actions, ascending; absent where one holds for all. */
  readonly budgets?: readonly number[];
  /** Keys kept per layer and KV head; the smallest of `budgets`, where there are some. */
  readonly budget: number;
  /** The last of them that are kept unconditionally; 0 means the default rule. */
  readonly recent: number;
  readonly max_new_tokens: number;
  /** Tokens of a prompt at most, before wrapping; 0 means the server's limit. */
  readonly max_prompt_tokens: number;
}

/** A reward that a store holds of every row. */
export interface StoredReward {
  /** As the flag spells it: a metric, `log_prob`, a mix, or `dataset`. */
  readonly name: string;
  /** Identity of the encoder behind the reward service's `cosine`; empty when it had loaded none. */
  readonly encoder_id: string;
  /** Version of the suite that scored it. */
  readonly code_version: string;
}

/** How many rows a finished store holds. */
export interface StoreCounts {
  /** Rows with texts and rewards. */
  readonly rows: number;
  /** Prompts that fit the budget: nothing is evicted, so that they teach nothing. */
  readonly kept_all: number;
}

/** What manifest.json holds. */
export interface StoreManifest {
  readonly format: typeof storeFormat;
  readonly format_version: number;
  readonly provenance: StoreProvenance;
  readonly rewards: readonly StoredReward[];
  /** Absent while the store is being built. */
  readonly counts?: StoreCounts;
}

/** The manifest of a text. Throws DATA_LOSS when it is none, FAILED_PRECONDITION for one of another version. */
export function parseManifest(text: string): StoreManifest {
  const value = parsed(text);
  if (value?.format !== storeFormat) throw broken(`is no manifest of format ${storeFormat}`);
  const version = value.format_version;
  if (!Number.isInteger(version) || version! < 1 || version! > storeFormatVersion) {
    const message = `${manifestFile}: format version ${String(version)}, this version reads up to ${storeFormatVersion}`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: manifestFile, reason: 'format-version' });
  }
  const { provenance, rewards, counts } = value;
  if (typeof provenance !== 'object' || !Array.isArray(rewards) || rewards.some(({ name }) => typeof name !== 'string'))
    throw broken('lacks provenance or rewards');
  const whole = [provenance.embedding_dimension, provenance.prompts, provenance.budget];
  if (counts !== undefined) whole.push(counts.rows, counts.kept_all);
  if (!whole.every((number) => Number.isSafeInteger(number) && number >= 0)) throw broken('holds a count that is none');
  if (provenance.actions !== 'all' && provenance.actions !== 'none') throw broken('does not say which actions');
  try {
    spaceOf(provenance);
  } catch (cause) {
    throw broken('holds no action space', cause);
  }
  return value as StoreManifest;
}

/** The oldest version of the format that holds rows of a provenance, so that older programs read what they can. */
export function versionFor({ budgets }: Pick<StoreProvenance, 'budgets'>): number {
  return budgets === undefined ? 1 : 2;
}

/** The actions of a store's rewards, in their order. */
export function spaceOf({
  a_values: a,
  b_values: b,
  budgets = [],
}: Pick<StoreProvenance, 'a_values' | 'b_values' | 'budgets'>): ActionSpace {
  return new ActionSpace(a, b, budgets);
}

/** What differs between two provenances, as `<name>: <of the store>, now <wanted>`. */
export function differences(stored: StoreProvenance, wanted: StoreProvenance): string[] {
  const values = (provenance: StoreProvenance) => new Map<string, unknown>(Object.entries(provenance));
  const [before, now] = [values(stored), values(wanted)];
  return [...new Set([...now.keys(), ...before.keys()])].flatMap((name) => {
    const [old, fresh] = [before, now].map((map) => JSON.stringify(map.get(name)) ?? 'absent') as [string, string];
    return old === fresh ? [] : [`${name}: ${shortened(old)}, now ${shortened(fresh)}`];
  });
}

function shortened(text: string): string {
  return text.length <= 160 ? text : `${text.slice(0, 157)}...`;
}

function parsed(text: string): Partial<StoreManifest> | null {
  try {
    return JSON.parse(text) as Partial<StoreManifest> | null;
  } catch (cause) {
    throw broken('is no JSON', cause);
  }
}

function broken(problem: string, cause?: unknown): A2sfError {
  return new A2sfError('DATA_LOSS', `${manifestFile}: ${problem}`, { field: manifestFile, cause });
}
