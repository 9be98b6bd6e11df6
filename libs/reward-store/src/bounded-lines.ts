import { open } from 'node:fs/promises';

/** A line of a file without its newline. */
export type FileLine =
  | { readonly number: number; readonly text: string }
  /** A line over the limit: it was counted, never held. */
  | { readonly number: number; readonly bytes: number };

const newline = 0x0a;
const blockBytes = 256 * 1024;

/**
 * The lines of a file, numbered from 1, read block by block: memory is bounded by one line of `maxBytes`. Lines end at
 * U+000A alone, because JSON strings may hold the other line separators. `onBytes` is told every byte in order.
 * Rejects with what the system says of a file that cannot be read.
 */
export async function* boundedLines(
  path: string,
  maxBytes: number,
  onBytes: (bytes: Uint8Array) => void = () => undefined,
): AsyncGenerator<FileLine, void, undefined> {
  const file = await open(path, 'r');
  try {
    const block = Buffer.allocUnsafe(blockBytes);
    let parts: Buffer[] = [];
    let bytes = 0;
    let number = 0;
    const line = (): FileLine => {
      number++;
      const ended =
        bytes > maxBytes ? { number, bytes } : { number, text: Buffer.concat(parts, bytes).toString('utf8') };
      parts = [];
      bytes = 0;
      return ended;
    };
    for (;;) {
      const { bytesRead } = await file.read(block, 0, blockBytes);
      if (bytesRead === 0) break;
      const read = block.subarray(0, bytesRead);
      onBytes(read);
      for (let start = 0; start < bytesRead;) {
        const found = read.indexOf(newline, start);
        const stop = found < 0 ? bytesRead : found;
        bytes += stop - start;
        if (bytes > maxBytes) parts = [];
        else parts.push(Buffer.from(read.subarray(start, stop))); // the block is used again
        if (found < 0) break;
        yield line();
        start = found + 1;
      }
    }
    if (bytes > 0) yield line();
  } finally {
    await file.close();
  }
}
