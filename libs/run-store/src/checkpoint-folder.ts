import { mkdir, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { removeLeftovers, syncFolder, writeFileAtomically } from './atomic-file.js';
import {
  decodePolicyCheckpoint,
  encodePolicyCheckpoint,
  type DecodedCheckpoint,
  type PolicyCheckpoint,
} from './policy-checkpoint.js';
import { storageError } from './storage-error.js';

const namePattern = /^policy_(0|[1-9]\d{0,14})\.safetensors$/;

/** The file name of an iteration's checkpoint. */
export function checkpointName(iteration: number): string {
  return `policy_${iteration}.safetensors`;
}

/** The `policy_N.safetensors` of a run folder. */
export class CheckpointFolder {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Opens the folder, making it if need be, and clears what a crash left half-written. */
  static async open(folder: string): Promise<CheckpointFolder> {
    await mkdir(folder, { recursive: true });
    await removeLeftovers(folder);
    return new CheckpointFolder(folder);
  }

  /** Writes a checkpoint under its iteration, whole or not at all; returns its path. */
  async write(checkpoint: PolicyCheckpoint): Promise<string> {
    return this.writeBytes(checkpoint.iteration, encodePolicyCheckpoint(checkpoint));
  }

  /** Writes bytes that already are a checkpoint. */
  async writeBytes(iteration: number, bytes: Uint8Array): Promise<string> {
    const path = join(this.folder, checkpointName(iteration));
    await writeFileAtomically(path, bytes);
    return path;
  }

  /** The iterations that have a checkpoint, ascending. */
  async list(): Promise<number[]> {
    const names = await readdir(this.folder);
    return names
      .map((name) => namePattern.exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .sort((x, y) => x - y);
  }

  /** The last iteration that has a checkpoint. */
  async latest(): Promise<number | undefined> {
    return (await this.list()).at(-1);
  }

  /** Reads and verifies a checkpoint. When it is damaged, the error names the one before it. */
  async read(iteration: number): Promise<DecodedCheckpoint> {
    const name = checkpointName(iteration);
    const bytes = await readFile(join(this.folder, name)).catch((error: unknown) => {
      throw storageError(name, error);
    });
    try {
      return decodePolicyCheckpoint(bytes, name);
    } catch (error) {
      if (!isA2sfError(error) || error.code !== 'DATA_LOSS') throw error;
      const previous = (await this.list()).filter((other) => other < iteration).at(-1);
      if (previous === undefined) throw error;
      const message = `${error.message}; the checkpoint before it is ${checkpointName(previous)}`;
      throw new A2sfError('DATA_LOSS', message, { field: name, reason: error.reason, cause: error });
    }
  }

  /** Deletes all checkpoints but the last `keepLast` >= 1 and the best; returns the iterations deleted. */
  async prune(keepLast: number, best?: number): Promise<number[]> {
    if (!Number.isInteger(keepLast) || keepLast < 1)
      throw A2sfError.invalid('keep_last', 'must be a whole number >= 1');
    const all = await this.list();
    const doomed = all.slice(0, -keepLast).filter((iteration) => iteration !== best);
    for (const iteration of doomed) await unlink(join(this.folder, checkpointName(iteration)));
    if (doomed.length > 0) await syncFolder(this.folder);
    return doomed;
  }
}
