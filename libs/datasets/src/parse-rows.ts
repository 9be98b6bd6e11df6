import type { PromptRow } from './prompt-row.js';
import { RowCollector } from './row-collector.js';

/**
 * The rows of a JSONL text, one JSON object a line (see readRow for the schemas); blank lines are skipped.
 *
 * Throws one INVALID_ARGUMENT (reason `invalid-rows`) that names every problem, the first ten in full, as
 * `<source>:<line>: <field>: <problem>`: JSON that does not parse, a field missing or of another type, an unknown
 * dataset, an id used twice, a line over `maxLineLength`, a text without any row.
 */
export function parseRows(jsonl: string, sourceName: string): PromptRow[] {
  const rows = new RowCollector();
  rows.begin(sourceName);
  for (const text of lines(jsonl)) rows.add(text);
  rows.end();
  return rows.finish(sourceName);
}

/** Lines end at U+000A alone: JSON strings may hold the other line separators. */
function* lines(text: string): Generator<string> {
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    yield text.slice(start, end < 0 ? text.length : end);
    if (end < 0) return;
    start = end + 1;
  }
}
