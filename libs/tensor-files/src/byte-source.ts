import { fstatSync } from 'node:fs';
import { basename } from 'node:path';
import { damaged } from './file-error.js';
import { readInto, withFile } from './file-reading.js';

/** Bytes that are read where they lie, a part at a time. */
export interface ByteSource {
  readonly byteLength: number;
  /** Bytes that are valid until the next read; of a large part its reader holds the only copy. Throws DATA_LOSS at the end. */
  read(start: number, length: number): Uint8Array;
}

/** Part of a file. */
export interface FilePart {
  readonly path: string;
  /** Default: 0 and the file's length. */
  readonly offset?: number;
  readonly byteLength?: number;
}

/** The longest part that is read into memory which is used again. */
const scratchBytes = 1 << 20;

/** Bytes in memory, which are not copied. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    byteLength: bytes.byteLength,
    read: (start, length) => bytes.subarray(start, start + length),
  };
}

/** Gives a part of a file to `use`, while it is open. Throws NOT_FOUND or FAILED_PRECONDITION for one that cannot be read. */
export function withFileSource<T>({ path, offset = 0, byteLength }: FilePart, use: (source: ByteSource) => T): T {
  return withFile(path, (fd) => {
    const { size } = fstatSync(fd);
    const length = byteLength ?? size - offset;
    const name = basename(path);
    if (offset + length > size) throw damaged(name, 'the file ends early');
    let scratch: Uint8Array | undefined;
    const read = (start: number, wanted: number): Uint8Array => {
      const into =
        wanted > scratchBytes ? new Uint8Array(wanted) : (scratch ??= new Uint8Array(scratchBytes)).subarray(0, wanted);
      return readInto(into, fd, offset + start, name);
    };
    return use({ byteLength: length, read });
  });
}
