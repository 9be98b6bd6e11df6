import { randomBytes } from 'node:crypto';
import { open, readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { failpoint } from './failpoint.js';
import { isAlive } from './process-identity.js';
import { storageError } from './storage-error.js';

/** `.<name>.<pid>.<random>.tmp` */
const temporaryPattern = /^\..+\.(\d+)\.[0-9a-f]{8}\.tmp$/;

/**
 * Writes a file so that a reader, and a restart after a crash at any moment, sees the old content or the new one whole:
 * a temporary name in the same folder, fsync, rename, fsync of the folder. Throws RESOURCE_EXHAUSTED when the disk is
 * full, else FAILED_PRECONDITION; the old file then still stands, unless the folder's fsync was what failed. Parts are
 * asked for one at a time, so that other work is done between them.
 */
export async function writeFileAtomically(
  path: string,
  data: Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const name = basename(path);
  const folder = dirname(path);
  const temporary = join(folder, `.${name}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx', 0o644);
    try {
      await failpoint('file-before-write');
      const parts = typeof data === 'string' || data instanceof Uint8Array ? [data] : data;
      for await (const part of parts) await handle.writeFile(part); // each goes on where the last one ended
      await failpoint('file-after-write');
      await handle.sync();
      await failpoint('file-after-sync');
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await failpoint('file-after-rename');
    await syncFolder(folder);
    await failpoint('file-after-folder-sync');
  } catch (error) {
    await unlink(temporary).catch(() => undefined); // it may never have been made, or is renamed already
    throw storageError(name, error);
  }
}

/** Makes renames and deletions in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Deletes the temporary files of processes that died while writing, and returns their names. `locked`: the caller alone
 * writes to the folder and is not writing now, so that every temporary file is one; the number of a process does not tell
 * in a container, where it is always the same.
 */
export async function removeLeftovers(folder: string, { locked = false } = {}): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await readdir(folder)) {
    const pid = temporaryPattern.exec(name)?.[1];
    if (pid === undefined || (!locked && isAlive(Number(pid)))) continue;
    await unlink(join(folder, name));
    removed.push(name);
  }
  return removed;
}
