import { closeSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { damaged, unreadable } from './file-error.js';

/** Most bytes of one read call; the system refuses reads of 2 GiB and more. */
const maxReadBytes = 256 * 1024 * 1024;

/** Opens a file, uses it and closes it. Throws NOT_FOUND or FAILED_PRECONDITION for one that cannot be read. */
export function withFile<T>(path: string, use: (fd: number) => T): T {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    return use(fd);
  } catch (error) {
    throw isOfSystem(error) ? unreadable(basename(path), error) : error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function isOfSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

/** `length` bytes from `position`, in a buffer of their own. Throws DATA_LOSS when the file ends before. */
export function readAt(fd: number, position: number, length: number, file: string, tensor?: string): Uint8Array {
  return readInto(new Uint8Array(length), fd, position, file, tensor);
}

/** Fills `bytes` from `position`, and returns them. Throws DATA_LOSS when the file ends before. */
export function readInto(bytes: Uint8Array, fd: number, position: number, file: string, tensor?: string): Uint8Array {
  const { length } = bytes;
  for (let done = 0; done < length;) {
    const got = readSync(fd, bytes, done, Math.min(length - done, maxReadBytes), position + done);
    if (got === 0) throw damaged(file, 'the file ends early', tensor);
    done += got;
  }
  return bytes;
}
