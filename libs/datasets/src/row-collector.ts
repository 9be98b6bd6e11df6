import { A2sfError } from '@a2sf/errors';
import { readRow, type PromptRow } from './prompt-row.js';

/** Longest line that is read, in characters: some ten times the longest of LongBench. */
export const maxLineLength = 8 * 2 ** 20;

/** The same in bytes of UTF-8, three a character at most: what a reader of files needs to hold. */
export const maxLineBytes = 3 * maxLineLength;

/** Problems that are told in full. */
const problemsShown = 10;

/**
 * Takes the lines of one or more data files, one JSON object a line (see readRow for the schemas), and keeps every problem
 * instead of stopping at the first. Blank lines are skipped. Memory: the rows, and the first ten problems.
 */
export class RowCollector {
  readonly #rows: PromptRow[] = [];
  readonly #problems: string[] = [];
  #problemCount = 0;
  #source = '';
  #line = 0;
  #rowsBefore = 0;
  #problemsBefore = 0;
  /** `<dataset> <id>` to line, of the file being read. */
  #lineOf = new Map<string, number>();

  /** Rows that were taken so far. */
  get count(): number {
    return this.#rows.length;
  }

  /** Begins a file; lines count from 1 again and ids may be used again. */
  begin(source: string): void {
    this.#source = source;
    this.#line = 0;
    this.#rowsBefore = this.#rows.length;
    this.#problemsBefore = this.#problemCount;
    this.#lineOf = new Map();
  }

  /** Takes the next line, without its newline. */
  add(text: string): void {
    this.#line++;
    if (text.length > maxLineLength) return this.#report(tooLong(text.length, 'characters', maxLineLength));
    const json = this.#line === 1 && text.startsWith('\uFEFF') ? text.slice(1) : text;
    if (json.trim() === '') return;
    const value = parseJson(json);
    if (value === undefined) return this.#report('is not JSON');
    const row = readRow(value.json, `${this.#source}:${this.#line}`);
    if (isProblems(row)) {
      for (const { field, problem } of row) this.#report(`${field}: ${problem}`);
      return;
    }
    const key = `${row.dataset} ${row.id}`;
    const before = this.#lineOf.get(key);
    if (before !== undefined) this.#report(`id: ${JSON.stringify(row.id.slice(0, 60))} was used on line ${before}`);
    this.#lineOf.set(key, this.#line);
    this.#rows.push(row);
  }

  /** Takes the next line when it is too long to be held. */
  addTooLong(bytes: number): void {
    this.#line++;
    this.#report(tooLong(bytes, 'bytes', maxLineBytes));
  }

  /** Ends a file. */
  end(): void {
    if (this.#rows.length === this.#rowsBefore && this.#problemCount === this.#problemsBefore) {
      this.#keep(`${this.#source}: holds no rows`);
    }
  }

  /** A problem of the file as a whole. */
  reportFile(source: string, problem: string): void {
    this.#keep(`${source}: ${problem}`);
  }

  /**
   * The rows of all files, in the order they came. Throws one INVALID_ARGUMENT (reason `invalid-rows`, field `field`) that
   * tells the problems of all files, the first ten in full, as `<source>:<line>: <field>: <problem>`.
   */
  finish(field: string): PromptRow[] {
    if (this.#problemCount === 0) return this.#rows;
    const more = this.#problemCount - this.#problems.length;
    const message = this.#problems.join('; ') + (more > 0 ? `; and ${more} more` : '');
    throw new A2sfError('INVALID_ARGUMENT', message, { field, reason: 'invalid-rows' });
  }

  #report(problem: string): void {
    this.#keep(`${this.#source}:${this.#line}: ${problem}`);
  }

  #keep(problem: string): void {
    this.#problemCount++;
    if (this.#problems.length < problemsShown) this.#problems.push(problem);
  }
}

function tooLong(length: number, unit: string, limit: number): string {
  return `is ${length} ${unit} long, the limit is ${limit}`;
}

function parseJson(text: string): { readonly json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) };
  } catch {
    return undefined; // the parser's own message would quote the prompt
  }
}

function isProblems(row: ReturnType<typeof readRow>): row is Exclude<ReturnType<typeof readRow>, PromptRow> {
  return Array.isArray(row);
}
