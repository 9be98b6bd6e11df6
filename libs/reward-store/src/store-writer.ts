import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import { JsonlLog, removeLeftovers, RunLock, writeFileAtomically } from '@a2sf/run-store';
import {
  differences,
  manifestFile,
  rowsFile,
  storeFormat,
  versionFor,
  type StoreManifest,
  type StoreProvenance,
  type StoredReward,
} from './manifest.js';
import { readManifest, shapeOf } from './reward-store.js';
import { decodeRow, encodeRow, type StoredRow } from './store-row.js';

/** What a store is to hold. */
export interface StoreDefinition {
  readonly provenance: StoreProvenance;
  readonly rewards: readonly StoredReward[];
}

/**
 * Builds a store row by row, in the order of the prompts. The manifest is written first; a row is on the disk when it is
 * appended, and a torn last one is cut off when the store is opened again, so that it goes on after SIGKILL at any moment.
 */
export class StoreWriter {
  readonly #folder: string;
  readonly #lock: RunLock;
  readonly #log: JsonlLog;
  readonly #manifest: StoreManifest;
  #rows: number;
  #keptAll: number;

  private constructor(
    folder: string,
    lock: RunLock,
    log: JsonlLog,
    manifest: StoreManifest,
    counts: readonly number[],
  ) {
    this.#folder = folder;
    this.#lock = lock;
    this.#log = log;
    this.#manifest = manifest;
    [this.#rows = 0, this.#keptAll = 0] = counts;
  }

  /**
   * Begins a store or goes on with it. `hashes` are those of the prompts, in order. Throws FAILED_PRECONDITION when another
   * process writes to it (`run-locked`), or when it was begun from other things (`other-provenance`, telling which);
   * DATA_LOSS when its rows are not those of the prompts.
   */
  static async open(folder: string, wanted: StoreDefinition, hashes: readonly string[]): Promise<StoreWriter> {
    const lock = await RunLock.acquire(folder);
    try {
      await removeLeftovers(folder, { locked: true });
      const stored = await readManifest(folder);
      if (stored === undefined) await refuseRows(folder);
      else requireSame(stored, wanted);
      const manifest = stored ?? { format: storeFormat, format_version: versionFor(wanted.provenance), ...wanted };
      if (stored === undefined) await writeManifest(folder, manifest);
      const log = await JsonlLog.open(join(folder, rowsFile));
      try {
        const counts = await countRows(log, manifest, hashes);
        return new StoreWriter(folder, lock, log, manifest, counts);
      } catch (error) {
        await log.close();
        throw error;
      }
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Rows that the store holds, those of prompts that fit the budget among them: the next row is that of this prompt. */
  get size(): number {
    return this.#rows + this.#keptAll;
  }

  get keptAll(): number {
    return this.#keptAll;
  }

  /** Adds the row of the next prompt. Throws RESOURCE_EXHAUSTED when the disk is full; the store is then as it was. */
  async append(row: StoredRow): Promise<void> {
    await this.#log.append(encodeRow(row));
    if (row.keptAll) this.#keptAll++;
    else this.#rows++;
  }

  /** Says in the manifest that the store is whole. */
  async finish(): Promise<StoreManifest> {
    const manifest = { ...this.#manifest, counts: { rows: this.#rows, kept_all: this.#keptAll } };
    await writeManifest(this.#folder, manifest);
    return manifest;
  }

  /** Closes the files; what was appended stays. */
  async close(): Promise<void> {
    await this.#log.close();
    await this.#lock.release();
  }
}

/** Puts a manifest in the place of the one that is there. */
export async function writeManifest(folder: string, manifest: StoreManifest): Promise<void> {
  await writeFileAtomically(join(folder, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Deletes what a folder holds of a store. Throws FAILED_PRECONDITION when another process writes to it. */
export async function removeStore(folder: string): Promise<void> {
  const lock = await RunLock.acquire(folder);
  try {
    for (const name of [rowsFile, manifestFile]) await rm(join(folder, name), { force: true });
  } finally {
    await lock.release();
  }
}

async function refuseRows(folder: string): Promise<void> {
  const there = await access(join(folder, rowsFile)).then(
    () => true,
    () => false,
  );
  if (!there) return;
  const message = `output: the folder holds ${rowsFile} without ${manifestFile}; choose another one`;
  throw new A2sfError('FAILED_PRECONDITION', message, { field: 'output', reason: 'no-manifest' });
}

function requireSame(stored: StoreManifest, wanted: StoreDefinition): void {
  const names = (rewards: readonly StoredReward[]) => rewards.map((reward) => JSON.stringify(reward)).sort();
  const [before, now] = [names(stored.rewards), names(wanted.rewards)];
  const different = differences(stored.provenance, wanted.provenance);
  const lacks = now.filter((reward) => !before.includes(reward));
  if (lacks.length > 0 || (stored.counts === undefined && before.length !== now.length)) {
    const hint = stored.counts === undefined ? '' : '; a2sf dataset score adds rewards to a finished store';
    different.push(`rewards: ${before.join(', ')}, now ${now.join(', ')}${hint}`);
  }
  if (different.length === 0) return;
  const message = `output: the store was built from other things: ${different.join('; ')}`;
  throw new A2sfError('FAILED_PRECONDITION', message, { field: 'output', reason: 'other-provenance' });
}

/** Rows with rewards, and rows of prompts that fit the budget. */
async function countRows(log: JsonlLog, manifest: StoreManifest, hashes: readonly string[]): Promise<[number, number]> {
  const shape = shapeOf(manifest);
  const counts: [number, number] = [0, 0];
  let at = 0;
  for await (const record of log.records()) {
    const place = `${rowsFile}:${at + 1}`;
    const { hash, keptAll } = decodeRow(record, shape, place);
    if (hash !== hashes[at++]) throw new A2sfError('DATA_LOSS', `${place}: is not of the prompt that stands there`);
    counts[keptAll ? 1 : 0]++;
  }
  return counts;
}
