import { rename, stat, unlink } from 'node:fs/promises';
import type { DecisionLogLine } from './decision-log.js';
import { JsonlLog } from './jsonl-log.js';

/** How a decision log is kept. */
export interface DecisionLogOptions {
  /** A file that has so many bytes is put aside and a new one begun; it may be longer by what is written at one go. */
  readonly maxBytes: number;
  /** Files that are kept, the one that is written among them: `FILE`, `FILE.1` (the one before), ... */
  readonly files: number;
  /** Lines that may wait to be written; more are dropped. Default 4096. */
  readonly maxWaiting?: number;
  /** Lines were lost: no room was left for them, or the disk did not take them. */
  readonly onDropped: (lines: number, problem: string) => void;
}

/** Lines between two looks at the file's size. */
const linesPerLook = 64;

/**
 * A log of decisions beside the serving of them: `add` never waits and never fails. Lines are written in order and not
 * synced; those that cannot be written are dropped and told. Disk in use: about `files` times `maxBytes`.
 */
export class DecisionLog {
  readonly #path: string;
  readonly #options: DecisionLogOptions;
  #log: JsonlLog | undefined;
  #waiting: DecisionLogLine[] = [];
  #writing: Promise<void> | undefined;
  #isClosed = false;

  private constructor(path: string, options: DecisionLogOptions, log: JsonlLog) {
    this.#path = path;
    this.#options = options;
    this.#log = log;
  }

  /** Opens or goes on with a log. Throws FAILED_PRECONDITION when the file cannot be written. */
  static async open(path: string, options: DecisionLogOptions): Promise<DecisionLog> {
    return new DecisionLog(path, options, await openFile(path));
  }

  add(line: DecisionLogLine): void {
    const { maxWaiting = 4096, onDropped } = this.#options;
    if (this.#isClosed || this.#waiting.length >= maxWaiting) {
      onDropped(1, this.#isClosed ? 'the log is closed' : 'the disk is slower than the decisions');
      return;
    }
    this.#waiting.push(line);
    this.#writing ??= this.#drain();
  }

  /** Writes what waits and closes the file; later lines are dropped. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    const log = this.#log;
    this.#log = undefined;
    await log?.close();
  }

  /** Never throws. */
  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting.splice(0, linesPerLook);
      let written = 0;
      try {
        await this.#rotateWhenFull();
        const log = (this.#log ??= await openFile(this.#path)); // a rotation may have failed halfway
        for (const line of lines) {
          await log.append(line);
          written++;
        }
      } catch (error) {
        this.#options.onDropped(lines.length - written, error instanceof Error ? error.message : String(error));
      }
    }
    this.#writing = undefined;
  }

  /** Also where the file was taken away: a new one is begun. */
  async #rotateWhenFull(): Promise<void> {
    const size = await sizeOf(this.#path);
    if (size !== undefined && size < this.#options.maxBytes) return;
    const full = this.#log;
    this.#log = undefined;
    await full?.close();
    if (size !== undefined) await this.#putAside();
    this.#log = await openFile(this.#path);
  }

  async #putAside(): Promise<void> {
    const last = this.#options.files - 1;
    if (last === 0) return unlink(this.#path);
    for (let k = last; k > 0; k--) {
      await rename(rotatedName(this.#path, k - 1), rotatedName(this.#path, k)).catch(ignoreMissing);
    }
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    ignoreMissing(error);
    return undefined;
  }
}

/** `FILE` for 0, the one that is written, else `FILE.k`. */
export function rotatedName(path: string, k: number): string {
  return k === 0 ? path : `${path}.${k}`;
}

function openFile(path: string): Promise<JsonlLog> {
  return JsonlLog.open(path, { sync: false });
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
