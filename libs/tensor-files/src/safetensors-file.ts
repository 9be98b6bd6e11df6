import { fstatSync } from 'node:fs';
import { basename } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import { quoted } from './file-error.js';
import { readAt, withFile } from './file-reading.js';
import { headerLength, parseHeader, prefixBytes, type SafetensorsHeader } from './safetensors-header.js';

/** A safetensors file whose header was read; its tensors are read one by one. */
export interface SafetensorsFile extends SafetensorsHeader {
  readonly path: string;
}

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
