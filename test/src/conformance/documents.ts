import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './workspace.js';

export interface Document {
  /** Path from the workspace's root. */
  readonly path: string;
  readonly text: string;
}

/** Folders that hold what others wrote, what was built and what runs left. */
const skipped: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git', '.nx', 'models', 'fixtures', 'runs']);

/** Every Markdown file of the project itself. */
export function documents(folder: string = root): Document[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : documents(path);
    return entry.name.endsWith('.md') ? [{ path: relative(root, path), text: readFileSync(path, 'utf8') }] : [];
  });
}

export function documentAt(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The rows of every table below a heading, header and rule left out; cells are trimmed. */
export function tableBelow(heading: string, document: string): string[][] {
  const [, section = ''] = document.split(new RegExp(`^${heading}$`, 'm'));
  const lines = section.split(/^#/m)[0]!.split('\n');
  const rows = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1));
  const cells = rows.map((row) => row.map((cell) => cell.trim()));
  const rules = cells.flatMap((row, i) => (row.every((cell) => /^-+$/.test(cell)) ? [i] : []));
  return cells.filter((_, i) => !rules.includes(i) && !rules.includes(i + 1));
}

/** A document without its code blocks. */
export function prose(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '');
}

/** What stands between backticks, code blocks left out. */
export function codeIn(text: string): string[] {
  return [...prose(text).matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
}
