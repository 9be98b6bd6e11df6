import { open, readdir, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileAtomically } from './atomic-file.js';
import { failpoint } from './failpoint.js';
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

const segmentPattern = /^log-(\d{16})\.wal$/;

/** How a log is opened. */
export interface RecordLogOptions {
  /** The sequence of the snapshot that was loaded, 0 without one: what lies behind it is replayed. */
  readonly after: number;
  /** The sequences of all snapshots there are: behind each begins a segment, and those of imports have no record. */
  readonly reserved: ReadonlySet<number>;
  /**
   * Is given each record behind `after`, in order. A throw on the last record of the log cuts it off, as one that was
   * never acknowledged; a throw on another is DATA_LOSS.
   */
  readonly replay: (payload: Uint8Array, sequence: number) => void;
}

/** What was found when a log was opened. */
export interface LogRecovery {
  readonly replayed: number;
  /** Bytes of the records replayed. */
  readonly bytes: number;
  /** Records that were cut off the end: 0 or 1. */
  readonly cut: number;
}

interface Segment {
  readonly first: number;
  readonly handle: FileHandle;
}

/** A segment that exists on the disk and is not written to yet. */
export interface PreparedSegment {
  commit(): Promise<void>;
  /** `keepFile`: a snapshot that needs it may be left. */
  abort(o?: { readonly keepFile: boolean }): Promise<void>;
}

/**
 * An append-only log of numbered records in one folder, in files `log-<first sequence>.wal`. An append returns when the
 * record is on the disk; a failed one leaves the log as it was. One operation at a time: the caller sees to that, and
 * that nobody else uses the folder.
 */
export class RecordLog {
  readonly #folder: string;
  #segment: Segment;
  #size: number;
  #sizeBefore: number;
  #next: number;
  /** Something may lie behind the last record. */
  #dirty = false;

  private constructor(folder: string, segment: Segment, size: number, next: number) {
    this.#folder = folder;
    this.#segment = segment;
    this.#size = this.#sizeBefore = size;
    this.#next = next;
  }

  /**
   * Replays what the folder's log holds and opens it for appending. A torn last record is cut off. Throws DATA_LOSS naming
   * file and byte for any other damage, and for records that are missing.
   */
  static async open(folder: string, o: RecordLogOptions): Promise<{ log: RecordLog; recovery: LogRecovery }> {
    try {
      return await openLog(folder, o, (...state) => new RecordLog(folder, ...state));
    } catch (error) {
      throw storageError('log', error);
    }
  }

  /** The sequence that the next record gets. */
  get next(): number {
    return this.#next;
  }

  /** Adds a record and returns how many bytes it took. Throws what the system said as `storageError` words it. */
  async append(payload: Uint8Array): Promise<number> {
    const record = encodeRecord(this.#next, payload);
    const { handle } = this.#segment;
    try {
      await this.#clean();
      await failpoint('log-before-write');
      this.#dirty = true;
      await failpoint('log-torn-write', () => handle.write(record, 0, record.length >> 1, this.#size));
      await writeWhole(handle, record, this.#size);
      await failpoint('log-after-write');
      await handle.datasync();
      await failpoint('log-after-sync');
      this.#dirty = false;
    } catch (error) {
      await this.#clean().catch(() => undefined); // tried again before the next append
      throw storageError('log', error);
    }
    this.#sizeBefore = this.#size;
    this.#size += record.length;
    this.#next++;
    return record.length;
  }

  /** Takes the record of the last append back. Where the disk refuses, that is done before the next append. */
  async dropLast(): Promise<void> {
    if (this.#sizeBefore === this.#size) throw new Error('the last record was taken back already');
    this.#size = this.#sizeBefore;
    this.#next--;
    this.#dirty = true;
    await this.#clean().catch(() => undefined);
  }

  /** Makes the segment that begins behind the present end; with `skip`, that many sequences later. */
  async prepareSegment(skip = 0): Promise<PreparedSegment> {
    const first = this.#next + skip;
    const path = join(this.#folder, segmentName(first));
    try {
      await this.#clean();
      // The first segment, when nothing was appended to it yet, is the one to go on with.
      if (first === this.#segment.first) return { commit: async () => undefined, abort: async () => undefined };
      await writeFileAtomically(path, encodeSegmentHeader(first));
      const handle = await open(path, 'r+');
      return {
        commit: async () => {
          const old = this.#segment.handle;
          this.#segment = { first, handle };
          this.#size = this.#sizeBefore = encodeSegmentHeader(first).length;
          this.#next = first;
          await old.close();
        },
        abort: async ({ keepFile } = { keepFile: false }) => {
          await handle.close();
          if (!keepFile) await unlink(path).catch(() => undefined); // an empty one is passed over when the log is opened
        },
      };
    } catch (error) {
      throw storageError('log', error);
    }
  }

  /** Deletes the segments that hold nothing behind a sequence. */
  async removeUpTo(sequence: number): Promise<void> {
    const firsts = await segmentFirsts(this.#folder);
    const needless = firsts.filter((first, i) => first < this.#segment.first && firsts[i + 1]! <= sequence + 1);
    for (const first of needless) {
      await failpoint('before-remove');
      await unlink(join(this.#folder, segmentName(first)));
      await failpoint('after-remove');
    }
    if (needless.length > 0) await syncFolder(this.#folder);
  }

  async close(): Promise<void> {
    await this.#segment.handle.close();
  }

  async #clean(): Promise<void> {
    if (!this.#dirty) return;
    await this.#segment.handle.truncate(this.#size);
    await this.#segment.handle.datasync();
    this.#dirty = false;
  }
}

type Make = (segment: Segment, size: number, next: number) => RecordLog;

async function openLog(
  folder: string,
  { after, reserved, replay }: RecordLogOptions,
  make: Make,
): Promise<{ log: RecordLog; recovery: LogRecovery }> {
  let firsts = await segmentFirsts(folder);
  if (firsts.length === 0 && after === 0) {
    await writeFileAtomically(join(folder, segmentName(1)), encodeSegmentHeader(1));
    firsts = [1];
  }
  const start = firsts.indexOf(after + 1);
  // A snapshot is written when the segment behind it is there: a lost file is a hole, not an early end.
  const lost = [after, ...reserved].find((sequence) => sequence >= after && !firsts.includes(sequence + 1));
  if (lost !== undefined)
    throw damagedLog(segmentName(lost + 1), 0, `the records from ${lost + 1} on are missing, as the file is,`);
  let current: Segment | undefined;
  let size = 0;
  let expected = firsts[start]!;
  const recovery = { replayed: 0, bytes: 0, cut: 0 };
  try {
    for (let i = start; i < firsts.length; i++) {
      const first = firsts[i]!;
      const isLast = i === firsts.length - 1;
      const name = segmentName(first);
      const handle = await open(join(folder, name), 'r+');
      try {
        await checkSegmentHeader(handle, name, first);
        if (current !== undefined && (await isAbandoned(handle, first, expected, isLast, reserved))) {
          await handle.close();
          await unlink(join(folder, name));
          continue;
        }
        if (first !== expected) throw damagedLog(name, 0, `the records from ${expected} to ${first - 1} are missing`);
      } catch (error) {
        await handle.close().catch(() => undefined);
        throw error;
      }
      await current?.handle.close();
      current = { first, handle };
      const end = await replaySegment({ handle, name, first, isLast, after, replay, recovery });
      size = end.size;
      expected = end.next;
    }
    if (expected <= after)
      throw damagedLog(segmentName(firsts.at(-1)!), size, `the records up to ${after} are missing`);
    return { log: make(current!, size, expected), recovery };
  } catch (error) {
    await current?.handle.close().catch(() => undefined);
    throw error;
  }
}

/** An empty segment that was made for a snapshot that then failed. */
async function isAbandoned(
  handle: FileHandle,
  first: number,
  expected: number,
  isLast: boolean,
  reserved: ReadonlySet<number>,
): Promise<boolean> {
  const { size } = await handle.stat();
  if (size > encodeSegmentHeader(first).length) return false;
  return first < expected || (isLast && first === expected + 1 && !reserved.has(expected));
}

interface Replaying {
  readonly handle: FileHandle;
  readonly name: string;
  readonly first: number;
  readonly isLast: boolean;
  readonly after: number;
  readonly replay: RecordLogOptions['replay'];
  readonly recovery: { replayed: number; bytes: number; cut: number };
}

async function replaySegment(o: Replaying): Promise<{ readonly size: number; readonly next: number }> {
  const { handle, name, first, isLast, recovery } = o;
  const { size } = await handle.stat();
  const records = readRecords(handle, first);
  let next = first;
  for (;;) {
    const { done, value } = await records.next();
    if (done === true) {
      if (value === size) return { size, next };
      if (!isLast || (await holdsRecordBehind(handle, value))) throw damagedLog(name, value, 'a record is damaged');
      return { size: await cutOff(handle, value, recovery), next };
    }
    if (value.sequence > o.after) {
      const problem = tryReplay(o, value);
      if (problem !== undefined) {
        if (!isLast || value.end < size)
          throw damagedLog(name, value.offset, `a record cannot be applied (${problem})`);
        return { size: await cutOff(handle, value.offset, recovery), next };
      }
      recovery.replayed++;
      recovery.bytes += value.end - value.offset;
    }
    next++;
  }
}

function tryReplay({ replay }: Replaying, { payload, sequence }: LogRecord): string | undefined {
  try {
    replay(payload, sequence);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function cutOff(handle: FileHandle, end: number, recovery: { cut: number }): Promise<number> {
  await handle.truncate(end);
  await handle.sync();
  recovery.cut++;
  return end;
}

/** Ascending. */
async function segmentFirsts(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names
    .flatMap((name) => segmentPattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((x, y) => x - y);
}

function segmentName(first: number): string {
  return `log-${String(first).padStart(16, '0')}.wal`;
}

async function writeWhole(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
