import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import type { ActionSpace } from '@a2sf/kv-compression';
import { boundedLines } from './bounded-lines.js';
import { manifestFile, parseManifest, rowsFile, spaceOf, type StoreManifest } from './manifest.js';
import { decodeRow, type RowShape, type StoredRow } from './store-row.js';

/** Longest line of rows.jsonl, in bytes: what its log writes at most. */
export const maxStoreLineBytes = 16 * 1024 * 1024;

/** A finished store of rewards, read only: what every action earns on every prompt under one or more rewards. */
export class RewardStore {
  readonly folder: string;
  readonly manifest: StoreManifest;
  /** The actions, in the order of every row's rewards. */
  readonly space: ActionSpace;

  private constructor(folder: string, manifest: StoreManifest) {
    this.folder = folder;
    this.manifest = manifest;
    this.space = spaceOf(manifest.provenance);
  }

  /**
   * Opens the store of a folder. Throws INVALID_ARGUMENT naming `field` when there is none, FAILED_PRECONDITION (reason
   * `store-incomplete`) when it is not finished, DATA_LOSS when its manifest is damaged.
   */
  static async open(folder: string, field = 'store'): Promise<RewardStore> {
    const manifest = await readManifest(folder);
    if (manifest === undefined) throw A2sfError.invalid(field, `there is no reward store in ${folder}`);
    if (manifest.counts === undefined) {
      const message = `${field}: ${basename(folder)} is not finished; a2sf dataset build goes on with it`;
      throw new A2sfError('FAILED_PRECONDITION', message, { field, reason: 'store-incomplete' });
    }
    return new RewardStore(folder, manifest);
  }

  /** Rows with rewards; prompts that fit the budget are not among them. */
  get rowCount(): number {
    return this.manifest.counts!.rows;
  }

  /** Prompts that were left out because they fit the budget. */
  get keptAllCount(): number {
    return this.manifest.counts!.kept_all;
  }

  /** Names of the rewards, in the order they were stored. */
  get rewardNames(): readonly string[] {
    return this.manifest.rewards.map(({ name }) => name);
  }

  /** True when the rows hold a reward for every action; false when the full cache alone was asked. */
  get hasActions(): boolean {
    return this.manifest.provenance.actions === 'all';
  }

  /** The rows in the order of the data, read one at a time; prompts that fit the budget are left out. Throws DATA_LOSS naming the line that is not sound. */
  async *rows(): AsyncGenerator<StoredRow, void, undefined> {
    for await (const row of this.allRows()) if (!row.keptAll) yield row;
  }

  /** The rows in the order of the data, with those of prompts that fit the budget: these have texts and rewards of no action. */
  async *allRows(): AsyncGenerator<StoredRow, void, undefined> {
    const { rows, kept_all: keptAll } = this.manifest.counts!;
    const shape = shapeOf(this.manifest);
    let count = 0;
    for await (const row of readRows(join(this.folder, rowsFile), shape)) {
      count++;
      yield row;
    }
    if (count !== rows + keptAll) {
      const message = `${rowsFile}: holds ${count} rows, ${manifestFile} says ${rows + keptAll}`;
      throw new A2sfError('DATA_LOSS', message, { field: rowsFile });
    }
  }
}

/** What the rows of a store with this manifest must have. */
export function shapeOf({ provenance, rewards }: StoreManifest): RowShape {
  return {
    dimension: provenance.embedding_dimension,
    actions: provenance.actions === 'all' ? spaceOf(provenance).size : 0,
    rewards: rewards.map(({ name }) => name),
  };
}

/** The manifest of a folder, undefined when there is none. Throws DATA_LOSS when it is damaged. */
export async function readManifest(folder: string): Promise<StoreManifest | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, manifestFile), 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const message = `${manifestFile}: cannot be read`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: manifestFile, cause: error });
  }
  return parseManifest(text);
}

async function* readRows(path: string, shape: RowShape): AsyncGenerator<StoredRow, void, undefined> {
  try {
    for await (const line of boundedLines(path, maxStoreLineBytes)) {
      const place = `${rowsFile}:${line.number}`;
      if (!('text' in line)) throw new A2sfError('DATA_LOSS', `${place}: is over ${maxStoreLineBytes} bytes`);
      yield decodeRow(parseJson(line.text, place), shape, place);
    }
  } catch (cause) {
    if (isA2sfError(cause)) throw cause;
    throw new A2sfError('DATA_LOSS', `${rowsFile}: cannot be read`, { field: rowsFile, cause });
  }
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new A2sfError('DATA_LOSS', `${place}: is no JSON`, { field: place, cause });
  }
}
