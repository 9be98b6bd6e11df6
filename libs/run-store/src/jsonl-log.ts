import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import { storageError } from './storage-error.js';

/** How a log is kept. */
export interface JsonlOptions {
  /** Wait for each line to be on the disk. Default true. */
  readonly sync?: boolean;
}

const newline = 0x0a;
const blockBytes = 64 * 1024;
const maxLineBytes = 16 * 1024 * 1024;

interface Line {
  readonly text: string;
  /** Bytes from the start of the file to behind the line's newline. */
  readonly end: number;
}

/** A file of one JSON value a line that survives a crash: whole lines stay, a torn last one is cut off when it is opened. */
export class JsonlLog {
  readonly #name: string;
  readonly #file: FileHandle;
  readonly #sync: boolean;
  #size: number;
  /** Something may lie behind the last whole line. */
  #dirty = false;
  /** Operations run one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** Lines that were cut off when the log was opened: 0, or 1 after a crash in the middle of an append. */
  readonly tornLines: number;

  private constructor(name: string, file: FileHandle, sync: boolean, size: number, tornLines: number) {
    this.#name = name;
    this.#file = file;
    this.#sync = sync;
    this.#size = size;
    this.tornLines = tornLines;
  }

  /** Opens or makes a log. Throws FAILED_PRECONDITION when the file cannot be read or written. */
  static async open(path: string, { sync = true }: JsonlOptions = {}): Promise<JsonlLog> {
    const name = basename(path);
    try {
      const file = await open(path, 'a+');
      try {
        const { size } = await file.stat();
        const whole = await wholeBytes(file, size, name);
        if (whole < size) await file.truncate(whole);
        return new JsonlLog(name, file, sync, whole, whole < size ? 1 : 0);
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      throw storageError(name, error);
    }
  }

  /**
   * Adds a record. A failed append leaves the log as it was. Throws INVALID_ARGUMENT for a value JSON cannot hold (a number
   * that is not finite), RESOURCE_EXHAUSTED when the disk is full.
   */
  async append(record: object): Promise<void> {
    const line = Buffer.from(`${JSON.stringify(record, refuseNonFinite)}\n`);
    if (line.byteLength > maxLineBytes) throw A2sfError.invalid('record', `is over ${maxLineBytes} bytes`);
    await this.#next(async () => {
      try {
        await this.#clean();
        this.#dirty = true;
        await this.#file.appendFile(line);
        if (this.#sync) await this.#file.datasync();
        this.#dirty = false;
        this.#size += line.byteLength;
      } catch (error) {
        await this.#clean().catch(() => undefined); // tried again before the next append
        throw error;
      }
    });
  }

  /** All records in order. Throws DATA_LOSS naming the line that is no JSON. */
  async *records(): AsyncGenerator<unknown, void, undefined> {
    await this.#last.catch(() => undefined);
    let number = 0;
    for await (const { text } of readLines(this.#file, this.#size, this.#name)) yield parse(text, ++number, this.#name);
  }

  /**
   * Cuts the log before the first record that does not belong to what came before: resuming at iteration 500 keeps the
   * records up to it (`truncateAfter((r) => r.iteration <= 500)`). Returns how many lines were cut off.
   */
  async truncateAfter(belongs: (record: unknown) => boolean): Promise<number> {
    return this.#next(async () => {
      let kept = 0;
      let number = 0;
      let cut = 0;
      for await (const { text, end } of readLines(this.#file, this.#size, this.#name)) {
        number++;
        if (cut > 0 || !belongs(parse(text, number, this.#name))) cut++;
        else kept = end;
      }
      if (cut === 0) return 0;
      await this.#file.truncate(kept);
      await this.#file.datasync();
      this.#size = kept;
      return cut;
    });
  }

  /** Waits for what was begun and closes the file. */
  async close(): Promise<void> {
    await this.#next(() => this.#file.close());
  }

  async #clean(): Promise<void> {
    if (!this.#dirty) return;
    await this.#file.truncate(this.#size);
    this.#dirty = false;
  }

  async #next<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(operation, operation);
    this.#last = result;
    try {
      return await result;
    } catch (error) {
      throw storageError(this.#name, error);
    }
  }
}

function refuseNonFinite(key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw A2sfError.invalid(key, `is ${value}, which JSON cannot hold`);
  return value;
}

function parse(text: string, number: number, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new A2sfError('DATA_LOSS', `${name}: line ${number} is no JSON`, { field: name, cause });
  }
}

/** Length of the file up to its last whole line: one that ends in a newline and is JSON. */
async function wholeBytes(file: FileHandle, size: number, name: string): Promise<number> {
  let last: Line | undefined;
  let before = 0;
  for await (const line of readLines(file, size, name)) {
    before = last?.end ?? 0;
    last = line;
  }
  if (last === undefined) return 0;
  try {
    JSON.parse(last.text);
    return last.end;
  } catch {
    return before; // a crash of the machine may leave a line of zeros
  }
}

/** The lines that end in a newline. Throws DATA_LOSS for one that is over the limit. */
async function* readLines(file: FileHandle, size: number, name: string): AsyncGenerator<Line, void, undefined> {
  let parts: Buffer[] = [];
  let partBytes = 0;
  for (let at = 0; at < size;) {
    const block = Buffer.alloc(Math.min(blockBytes, size - at));
    const { bytesRead } = await file.read(block, 0, block.byteLength, at);
    if (bytesRead === 0) return;
    let start = 0;
    for (;;) {
      const found = block.subarray(0, bytesRead).indexOf(newline, start);
      const stop = found < 0 ? bytesRead : found;
      parts.push(block.subarray(start, stop));
      partBytes += stop - start;
      if (partBytes > maxLineBytes) throw new A2sfError('DATA_LOSS', `${name}: a line is over ${maxLineBytes} bytes`);
      if (found < 0) break;
      yield { text: Buffer.concat(parts).toString('utf8'), end: at + found + 1 };
      parts = [];
      partBytes = 0;
      start = found + 1;
    }
    at += bytesRead;
  }
}
