import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { maxLineBytes, RowCollector, type PromptRow } from '@a2sf/datasets';
import { A2sfError } from '@a2sf/errors';
import { boundedLines } from './bounded-lines.js';
import type { DataFile } from './manifest.js';

/** The rows of some data files. */
export interface RowFiles {
  /** In the order of the files and their lines; no id stands twice in a dataset. */
  readonly rows: readonly PromptRow[];
  readonly files: readonly DataFile[];
}

/** The data files of paths: a folder stands for the .jsonl files in it, sorted. Throws INVALID_ARGUMENT naming `field`. */
export async function dataFilesOf(paths: readonly string[], field = 'data'): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const kind = await stat(path).catch(() => undefined);
    if (kind === undefined) throw A2sfError.invalid(field, `there is no file or folder ${path}`);
    if (!kind.isDirectory()) {
      found.push(path);
      continue;
    }
    const names = (await readdir(path)).filter((name) => name.endsWith('.jsonl')).sort();
    if (names.length === 0) throw A2sfError.invalid(field, `${path} holds no .jsonl file`);
    found.push(...names.map((name) => join(path, name)));
  }
  return found;
}

/**
 * Reads data files line by line; a line over the limit is counted, never held. Ids that several files use are told apart
 * by the file's name: `<file>/<id>`. Throws one INVALID_ARGUMENT (reason `invalid-rows`) that tells the problems of all
 * files with file and line, the first ten in full.
 */
export async function readRowFiles(paths: readonly string[], field = 'data'): Promise<RowFiles> {
  const collector = new RowCollector();
  const files: DataFile[] = [];
  const counts: number[] = [];
  for (const path of paths) {
    const file = basename(path);
    if (files.some((other) => other.file === file)) collector.reportFile(file, 'two files have this name');
    const hash = createHash('sha256');
    collector.begin(file);
    try {
      for await (const line of boundedLines(path, maxLineBytes, (bytes) => hash.update(bytes))) {
        if ('text' in line) collector.add(line.text);
        else collector.addTooLong(line.bytes);
      }
      collector.end();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
      collector.reportFile(file, `cannot be read (${code})`);
    }
    files.push({ file, sha256: hash.digest('hex') });
    counts.push(collector.count);
  }
  const rows = collector.finish(field);
  const fileOf = (index: number) => files[counts.findIndex((count) => index < count)]!.file;
  return { rows: toldApart(rows, fileOf), files };
}

function toldApart(rows: readonly PromptRow[], fileOf: (index: number) => string): PromptRow[] {
  const keyOf = ({ dataset, id }: PromptRow) => `${dataset} ${id}`;
  const uses = new Map<string, number>();
  for (const row of rows) uses.set(keyOf(row), (uses.get(keyOf(row)) ?? 0) + 1);
  return rows.map((row, index) => (uses.get(keyOf(row)) === 1 ? row : { ...row, id: `${fileOf(index)}/${row.id}` }));
}
