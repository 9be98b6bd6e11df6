import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { root } from './workspace.js';

/** A table in Markdown; a `|` inside a cell is escaped. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/**
 * Compares the generated sections of a document with what the code says; with A2SF_UPDATE_DOCS=1 it writes them. A section
 * `NAME` stands between `<!-- NAME: ... -->` and `<!-- end of NAME -->`. The document is compared as prettier formats it.
 */
export async function checkGenerated(path: string, sections: Readonly<Record<string, string>>): Promise<void> {
  const file = join(root, path);
  const text = readFileSync(file, 'utf8');
  const written = Object.entries(sections).reduce((document, [name, body]) => replaced(document, name, body), text);
  const expected = await format(written, { ...(await resolveConfig(file)), filepath: file });
  if (process.env['A2SF_UPDATE_DOCS'] === '1') writeFileSync(file, expected);
  else assert.deepEqual(text.split('\n'), expected.split('\n'));
}

function replaced(document: string, name: string, body: string): string {
  const begin = new RegExp(`<!-- ${name}: [^\\n]* -->\\n`).exec(document);
  const end = document.indexOf(`<!-- end of ${name} -->`);
  assert.ok(begin !== null && end > begin.index, `the document has no section ${name}`);
  return `${document.slice(0, begin.index + begin[0].length)}\n${body}\n\n${document.slice(end)}`;
}
