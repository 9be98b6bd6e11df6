import { randomBytes } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImportCheckpointRequestOutput } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import { storageError } from '@a2sf/run-store';
import { releaseBytes, releaseShortLived } from './release-memory.js';

/** An upload that lies in a file. */
export interface Upload {
  readonly path: string;
  readonly byteLength: number;
  /** What its first piece says it is for. */
  readonly challenger: boolean;
  /** Deletes the file. */
  readonly discard: () => Promise<void>;
}

/**
 * Writes an upload to a file of the folder, each piece as it comes, so that no more than one is held. Throws
 * RESOURCE_EXHAUSTED over the limit or where the disk is full, INVALID_ARGUMENT when there are no bytes.
 */
export async function receiveUpload(
  pieces: AsyncIterable<Pick<ImportCheckpointRequestOutput, 'data' | 'challenger'>>,
  folder: string,
  limit: number,
): Promise<Upload> {
  // The name of a temporary file: a start clears away what a crash leaves in a state folder.
  const path = join(folder, `.import.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  const discard = () => unlink(path).catch(() => undefined);
  const stored = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw storageError('import', error);
    });
  const handle = await stored(open(path, 'wx', 0o600));
  try {
    let byteLength = 0;
    let releaseAt = releaseBytes;
    let challenger: boolean | undefined;
    for await (const piece of pieces) {
      challenger ??= piece.challenger;
      byteLength += piece.data.byteLength;
      requireAtMost(byteLength, limit);
      await stored(handle.writeFile(piece.data));
      if (byteLength < releaseAt) continue;
      releaseShortLived();
      releaseAt = byteLength + releaseBytes;
    }
    if (byteLength === 0) throw A2sfError.invalid('data', 'holds no bytes');
    return { path, byteLength, challenger: challenger === true, discard };
  } catch (error) {
    await discard();
    throw error;
  } finally {
    await handle.close();
  }
}

/** Throws RESOURCE_EXHAUSTED. */
export function requireAtMost(bytes: number, limit: number): void {
  if (bytes <= limit) return;
  throw new A2sfError('RESOURCE_EXHAUSTED', `data: over ${limit} bytes, the limit (--max_checkpoint_bytes)`, {
    field: 'data',
    reason: 'checkpoint-too-large',
  });
}
