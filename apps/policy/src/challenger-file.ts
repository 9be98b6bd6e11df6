import { createReadStream } from 'node:fs';
import { access, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically, type CheckpointInput } from '@a2sf/run-store';

const name = 'challenger.safetensors';
const promotedPattern = /^challenger-promoted-(\d{16})\.safetensors$/;

/**
 * The checkpoint of the challenger in a state folder. The snapshot that a promotion writes is what makes it done; before it
 * the file gets a name that tells the snapshot's sequence, so that after a crash it is known whether it is still a challenger.
 */
export class ChallengerFile {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Throws as `writeFileAtomically`. */
  async write(input: CheckpointInput): Promise<void> {
    const parts = input instanceof Uint8Array ? input : createReadStream(input.path, { highWaterMark: 1 << 20 });
    await writeFileAtomically(join(this.#folder, name), parts);
  }

  /** Where it lies; undefined when there is none. */
  async find(): Promise<{ readonly path: string } | undefined> {
    const path = join(this.#folder, name);
    try {
      await access(path);
      return { path };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** A promotion begins whose snapshot will have a sequence. */
  async begin(sequence: number): Promise<void> {
    await rename(join(this.#folder, name), join(this.#folder, promotedName(sequence)));
  }

  /** The snapshot could not be written: it is a challenger as before. */
  async abort(sequence: number): Promise<void> {
    await rename(join(this.#folder, promotedName(sequence)), join(this.#folder, name));
  }

  /** The snapshot is on the disk. */
  async finish(sequence: number): Promise<void> {
    await unlink(join(this.#folder, promotedName(sequence)));
  }

  /** After a start from a snapshot: a promotion that it holds is finished, any other is undone. */
  async recover(snapshot: number): Promise<void> {
    for (const file of await readdir(this.#folder)) {
      const sequence = Number(promotedPattern.exec(file)?.[1] ?? NaN);
      if (sequence <= snapshot) await this.finish(sequence);
      else if (sequence > snapshot) await this.abort(sequence);
    }
  }
}

function promotedName(sequence: number): string {
  return `challenger-promoted-${String(sequence).padStart(16, '0')}.safetensors`;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
