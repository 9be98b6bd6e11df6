import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import {
  checkSegmentHeader,
  damagedLog,
  encodeRecord,
  encodeSegmentHeader,
  holdsRecordBehind,
  readRecords,
  type LogRecord,
} from './log-segment.js';
import { storageError } from './storage-error.js';

/** What an encoder made of one text. */
export interface StoredEmbedding {
  /** Components, each one exact in single precision. */
  readonly values: number[];
  readonly tokens: number;
  readonly truncated: boolean;
  readonly empty: boolean;
  /** Identity of the encoder. */
  readonly encoderId: string;
}

/** An embedding and the SHA-256 of its text. */
export interface EmbeddingEntry {
  readonly hash: string;
  readonly embedding: StoredEmbedding;
}

/** Where the components of an embedding lie. */
interface Place extends Omit<StoredEmbedding, 'values'> {
  /** Bytes from the start of the file. */
  readonly at: number;
  readonly dimension: number;
}

/** What a record says of one embedding, in the order of their components. */
interface Line {
  readonly hash: string;
  readonly encoder_id: string;
  readonly dimension: number;
  readonly tokens: number;
  readonly truncated: boolean;
  readonly empty: boolean;
}

const headerBytes = encodeSegmentHeader(1).length;
/** Bytes of a record before its payload. */
const recordHeaderBytes = 20;

/**
 * The embeddings of a run's prompts, each computed once: what a learning step sees of a prompt is then the same numbers
 * whenever it is asked for, by this process or by one that resumes. A file of numbered records with a SHA-256 each (the
 * format of the policy's log); a record holds the embeddings of one call of the encoder, u32 length of a JSON list of what
 * they are, that list, the components as float32, little-endian. A call is there whole or not at all, so that what is
 * computed again after a crash is computed in the same calls. Memory holds places, not components.
 */
export class EmbeddingFile {
  readonly #name: string;
  readonly #file: FileHandle;
  readonly #places: Map<string, Place>;
  #size: number;
  #next: number;
  /** Something may lie behind the last record. */
  #dirty = false;
  /** Appends run one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(name: string, file: FileHandle, found: Found) {
    this.#name = name;
    this.#file = file;
    this.#places = found.places;
    this.#size = found.size;
    this.#next = found.next;
  }

  /**
   * Opens or makes the file. A torn last record is cut off. Throws DATA_LOSS naming the byte of any other damage: the file
   * may be deleted, embeddings are then computed again.
   */
  static async open(path: string): Promise<EmbeddingFile> {
    const name = basename(path);
    try {
      const file = await openFile(path);
      try {
        return new EmbeddingFile(name, file, await scan(file, name));
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      throw storageError(name, error);
    }
  }

  /** Embeddings that are there. */
  get size(): number {
    return this.#places.size;
  }

  /** What an encoder made of a text; undefined when that is not there. */
  async get(encoderId: string, hash: string): Promise<StoredEmbedding | undefined> {
    const place = this.#places.get(keyOf(encoderId, hash));
    if (place === undefined) return undefined;
    const { at, dimension, ...about } = place;
    const bytes = Buffer.alloc(4 * dimension);
    const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, at).catch((error: unknown) => {
      throw storageError(this.#name, error);
    });
    if (bytesRead < bytes.length) throw damagedLog(this.#name, at, 'the file ends');
    return { values: Array.from({ length: dimension }, (_, i) => bytes.readFloatLE(4 * i)), ...about };
  }

  /**
   * Keeps the embeddings of one call of the encoder; they are on the disk when the promise is fulfilled. A failed call
   * leaves the file as it was. Throws INVALID_ARGUMENT for a component that single precision does not hold,
   * RESOURCE_EXHAUSTED when the disk is full.
   */
  async add(entries: readonly EmbeddingEntry[]): Promise<void> {
    const payload = encode(entries);
    const result = this.#last.then(() => this.#append(payload));
    this.#last = result.catch(() => undefined);
    try {
      await result;
    } catch (error) {
      throw storageError(this.#name, error);
    }
  }

  /** Waits for what was begun and closes the file. */
  async close(): Promise<void> {
    await this.#last;
    await this.#file.close();
  }

  async #append(payload: Uint8Array): Promise<void> {
    const record = encodeRecord(this.#next, payload);
    try {
      await this.#clean();
      this.#dirty = true;
      await this.#file.appendFile(record);
      await this.#file.datasync();
      this.#dirty = false;
    } catch (error) {
      await this.#clean().catch(() => undefined); // tried again before the next append
      throw error;
    }
    for (const [key, place] of placesIn(payload, this.#size + recordHeaderBytes)) this.#places.set(key, place);
    this.#size += record.length;
    this.#next++;
  }

  async #clean(): Promise<void> {
    if (!this.#dirty) return;
    await this.#file.truncate(this.#size);
    this.#dirty = false;
  }
}

interface Found {
  readonly places: Map<string, Place>;
  readonly size: number;
  readonly next: number;
}

/** A file that a crash left without its whole header is one without records. */
async function openFile(path: string): Promise<FileHandle> {
  const file = await open(path, 'a+');
  try {
    const { size } = await file.stat();
    if (size < headerBytes) {
      await file.truncate(0);
      await file.appendFile(encodeSegmentHeader(1));
      await file.datasync();
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function scan(file: FileHandle, name: string): Promise<Found> {
  await checkSegmentHeader(file, name, 1);
  const places = new Map<string, Place>();
  const records = readRecords(file, 1);
  for (let next = 1; ; next++) {
    const { done, value } = await records.next();
    if (done !== true) {
      for (const [key, place] of foundIn(value, name)) places.set(key, place);
      continue;
    }
    const { size } = await file.stat();
    if (value < size) {
      if (await holdsRecordBehind(file, value)) throw damagedLog(name, value, 'a record is damaged');
      await file.truncate(value);
      await file.datasync();
    }
    return { places, size: value, next };
  }
}

function foundIn({ payload, offset }: LogRecord, name: string): [string, Place][] {
  try {
    return placesIn(payload, offset + recordHeaderBytes);
  } catch (cause) {
    const message = `${name}: the record at byte ${offset} is none of embeddings`;
    throw new A2sfError('DATA_LOSS', message, { field: name, reason: 'damaged-log', cause });
  }
}

function encode(entries: readonly EmbeddingEntry[]): Uint8Array {
  const lines = entries.map(({ hash, embedding: { values, encoderId, tokens, truncated, empty } }): Line => {
    return { hash, encoder_id: encoderId, dimension: values.length, tokens, truncated, empty };
  });
  const about = Buffer.from(JSON.stringify(lines));
  const components = entries.flatMap(({ embedding }) => embedding.values);
  const wrong = components.find((value) => Math.fround(value) !== value); // also NaN
  if (wrong !== undefined) throw A2sfError.invalid('embedding', `${wrong} is no number of single precision`);
  const payload = Buffer.alloc(4 + about.length + 4 * components.length);
  payload.writeUInt32LE(about.length);
  about.copy(payload, 4);
  for (const [i, value] of components.entries()) payload.writeFloatLE(value, 4 + about.length + 4 * i);
  return payload;
}

/** @param start where the payload begins in the file. */
function placesIn(payload: Uint8Array, start: number): [string, Place][] {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const components = 4 + bytes.readUInt32LE(0);
  const lines = JSON.parse(bytes.toString('utf8', 4, components)) as Line[];
  let at = start + components;
  const places = lines.map(({ hash, encoder_id: encoderId, dimension, tokens, truncated, empty }): [string, Place] => {
    const place = { at, dimension, tokens, truncated, empty, encoderId };
    at += 4 * dimension;
    return [keyOf(encoderId, hash), place];
  });
  if (at !== start + bytes.length) throw new Error('the components do not fill the record');
  return places;
}

function keyOf(encoderId: string, hash: string): string {
  return `${hash} ${encoderId}`;
}
