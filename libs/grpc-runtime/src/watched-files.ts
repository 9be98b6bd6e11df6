import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { A2sfError } from '@a2sf/errors';
import type { Logger } from '@a2sf/observability';

/** A file and the flag that names it. */
export interface FlaggedFile {
  /** In the spelling of the command line without its dashes: `tls_cert`. */
  readonly flag: string;
  readonly path: string;
}

/** What a set of watched files is read with. */
export interface WatchOptions<T> {
  readonly files: readonly FlaggedFile[];
  /** Turns the files' contents, in their order, into what they mean. Throws when they do not fit together. */
  readonly parse: (contents: readonly Buffer[]) => T;
  readonly reloadMs: number;
  /** Absent: read once and not watched. */
  readonly log?: Logger | undefined;
}

function unreadable({ flag, path }: FlaggedFile, error: unknown): A2sfError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return new A2sfError(
    code === 'ENOENT' ? 'NOT_FOUND' : 'FAILED_PRECONDITION',
    `--${flag}: cannot read ${path} (${code})`,
    {
      field: flag,
      cause: error,
    },
  );
}

/**
 * The meaning of some files that belong together, read again every `reloadMs`. Contents are compared, not times: a mounted
 * Secret changes by a link that is swapped. What cannot be read or does not fit together, such as a certificate that is
 * there ahead of its key, is told in the log once and read again; until it fits, the last meaning stays.
 */
export class WatchedFiles<T> {
  /** What the files meant when they were sound last. */
  value: T;
  private contents: readonly Buffer[];
  private readonly timer: NodeJS.Timeout | undefined;
  private readonly listeners = new Set<(value: T) => void>();
  private reading = false;
  private lastProblem = '';

  /** @throws A2sfError of the reading, or what `parse` throws: the first time the files must be sound. */
  constructor(private readonly o: WatchOptions<T>) {
    this.contents = o.files.map((file) => {
      try {
        return readFileSync(file.path);
      } catch (error) {
        throw unreadable(file, error);
      }
    });
    this.value = o.parse(this.contents);
    if (o.log !== undefined) this.timer = setInterval(() => void this.reread(o.log!), o.reloadMs).unref();
  }

  /** Has each later value told. */
  onChange(listener: (value: T) => void): void {
    this.listeners.add(listener);
  }

  /** Stops watching. */
  close(): void {
    clearInterval(this.timer);
    this.listeners.clear();
  }

  private async reread(log: Logger): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    const files = this.o.files.map(({ path }) => path);
    try {
      const contents = await Promise.all(
        this.o.files.map((file) =>
          readFile(file.path).catch((error: unknown) => {
            throw unreadable(file, error);
          }),
        ),
      );
      if (contents.every((content, i) => content.equals(this.contents[i]!))) {
        this.lastProblem = '';
        return;
      }
      const value = this.o.parse(contents);
      this.contents = contents;
      this.value = value;
      this.lastProblem = '';
      log.info({ files }, 'files read again');
      for (const listener of this.listeners) listener(value);
    } catch (error) {
      const problem = error instanceof Error ? error.message : 'unknown error';
      if (problem !== this.lastProblem)
        log.error({ err: error, files }, 'changed files are not taken; the last ones stay');
      this.lastProblem = problem;
    } finally {
      this.reading = false;
    }
  }
}
