import { A2sfError } from '@a2sf/errors';
import { readRow, type PromptRow } from './prompt-row.js';

/** Longest line that is read, in characters: some ten times the longest of LongBench. */
export const maxLineLength = 8 * 2 ** 20;

const problemsShown = 10;

/**
 * The rows of a JSONL text, one JSON object a line (see readRow for the schemas); blank lines are skipped.
 *
 * Throws one INVALID_ARGUMENT (reason `invalid-rows`) that names every problem, the first ten in full, as
 * `<source>:<line>: <field>: <problem>`: JSON that does not parse, a field missing or of another type, an unknown
 * dataset, an id used twice, a line over `maxLineLength`, a text without any row.
 */
export function parseRows(jsonl: string, sourceName: string): PromptRow[] {
  const rows: PromptRow[] = [];
  const problems: string[] = [];
  const lineOf = new Map<string, number>(); // `dataset id` -> line
  let line = 0;
  for (const text of lines(jsonl)) {
    line++;
    const report = (problem: string) => problems.push(`${sourceName}:${line}: ${problem}`);
    if (text.length > maxLineLength) {
      report(`is ${text.length} characters long, the limit is ${maxLineLength}`);
      continue;
    }
    if (text.trim() === '') continue;
    const value = parseJson(text);
    if (value === undefined) {
      report('is not JSON');
      continue;
    }
    const row = readRow(value.json, `${sourceName}:${line}`);
    if (isProblems(row)) {
      for (const { field, problem } of row) report(`${field}: ${problem}`);
      continue;
    }
    const key = `${row.dataset} ${row.id}`;
    const before = lineOf.get(key);
    if (before !== undefined) report(`id: ${JSON.stringify(row.id.slice(0, 60))} was used on line ${before}`);
    lineOf.set(key, line);
    rows.push(row);
  }
  if (problems.length === 0 && rows.length === 0) problems.push(`${sourceName}: holds no rows`);
  if (problems.length > 0) {
    const more = problems.length > problemsShown ? `; and ${problems.length - problemsShown} more` : '';
    throw new A2sfError('INVALID_ARGUMENT', problems.slice(0, problemsShown).join('; ') + more, {
      field: sourceName,
      reason: 'invalid-rows',
    });
  }
  return rows;
}

/** Lines end at U+000A alone: JSON strings may hold the other line separators. */
function* lines(text: string): Generator<string> {
  let start = text.startsWith('\uFEFF') ? 1 : 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    yield text.slice(start, end < 0 ? text.length : end);
    if (end < 0) return;
    start = end + 1;
  }
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
