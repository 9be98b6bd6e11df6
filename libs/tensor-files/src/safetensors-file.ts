import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { damaged, quoted, unreadable } from './file-error.js';
import { headerLength, parseHeader, prefixBytes, type SafetensorsHeader } from './safetensors-header.js';

/** A safetensors file whose header was read; its tensors are read one by one. */
export interface SafetensorsFile extends SafetensorsHeader {
  readonly path: string;
}

/** Most bytes of one read call; the system refuses reads of 2 GiB and more. */
const maxReadBytes = 256 * 1024 * 1024;

/** Reads and checks the header of a safetensors file. Throws NOT_FOUND, FAILED_PRECONDITION (unreadable), DATA_LOSS. */
export function openSafetensors(path: string): SafetensorsFile {
  const name = basename(path);
  return withFile(path, (fd) => {
    const fileBytes = fstatSync(fd).size;
    const length = headerLength(readAt(fd, 0, Math.min(prefixBytes, fileBytes), name), fileBytes, name);
    return { path, ...parseHeader(readAt(fd, prefixBytes, length, name), fileBytes, name) };
  });
}

/** The bytes of one tensor, in a buffer of their own. Throws NOT_FOUND for an unknown name, DATA_LOSS for a file cut since. */
export function readTensor(file: SafetensorsFile, name: string): Uint8Array {
  const info = file.tensors.get(name);
  const fileName = basename(file.path);
  if (info === undefined)
    throw new A2sfError('NOT_FOUND', `${fileName}: has no tensor ${quoted(name)}`, { field: name });
  return withFile(file.path, (fd) => readAt(fd, info.offset, info.byteLength, fileName, name));
}

function withFile<T>(path: string, use: (fd: number) => T): T {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    return use(fd);
  } catch (error) {
    throw isA2sfError(error) ? error : unreadable(basename(path), error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function readAt(fd: number, position: number, length: number, file: string, tensor?: string): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const got = readSync(fd, bytes, done, Math.min(length - done, maxReadBytes), position + done);
    if (got === 0) throw damaged(file, 'the file ends early', tensor);
    done += got;
  }
  return bytes;
}
