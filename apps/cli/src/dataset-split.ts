import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { boolean, listOf, number, option, resolveOptions, text, usageError } from '@a2sf/config';
import { sides, splitRows, writeRow, type PlacedRow, type Side } from '@a2sf/datasets';
import { A2sfError } from '@a2sf/errors';
import { dataFilesOf, readRowFiles } from '@a2sf/reward-store';
import { writeFileAtomically } from '@a2sf/run-store';
import { wordsAs } from './dataset.js';
import { jsonLines } from './json-lines.js';
import { suiteVersion } from './suite-version.js';
import { alignedTable } from './text-table.js';

const share = number({ min: 0, max: 1 });

const options = {
  data: option({
    schema: listOf(text(), { min: 1, max: 10_000 }),
    list: true,
    description: 'data files, or folders of .jsonl files; may be given without --data, as the first words',
  }),
  train: option({ schema: share, description: 'share of the prompts to train on', default: 0.8 }),
  validation: option({ schema: share, description: 'share to choose by; the rest is held out', default: 0.1 }),
  output: option({ schema: text(), description: 'folder to write' }),
  overwrite: option({ schema: boolean, description: 'replace the files of an earlier split', default: false }),
};

/** The trainer reads the held-out prompts of a folder under this name. */
const fileOf: Readonly<Record<Side, string>> = {
  train: 'train.jsonl',
  validation: 'validation.jsonl',
  test: 'eval.jsonl',
};

const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');

/** `a2sf dataset split`: train, validation and test by content. */
export async function split(argv: readonly string[]): Promise<void> {
  const command = {
    name: 'a2sf dataset split FILE...',
    description:
      'Splits rows into train.jsonl, validation.jsonl and eval.jsonl, each dataset by itself, so that prompts that differ in case or white space alone stand on one side. Neither order nor chance has a part in it.',
  };
  const { values } = resolveOptions(command, options, wordsAs('data', argv));
  const { data, train, validation, output, overwrite } = values;
  if (data === undefined) throw usageError(['--data: name the files to split']);
  if (output === undefined) throw usageError(['--output: name the folder to write']);
  if (train + validation > 1 + 1e-9) throw usageError(['--train, --validation: must not be over 1 together']);
  const test = Math.max(0, Math.round((1 - train - validation) * 1e9) / 1e9);
  const { rows, files } = await readRowFiles(await dataFilesOf(data));
  const placed = splitRows(rows, { train, validation, test }, sha256);
  refuseOthers(output, overwrite);

  await mkdir(output, { recursive: true });
  const manifest: Record<string, object> = {};
  for (const side of sides) {
    const own = placed.rows.filter((row) => row.side === side);
    const hash = createHash('sha256');
    for (const line of jsonLines(linesOf(own))) hash.update(line);
    await writeFileAtomically(join(output, fileOf[side]), jsonLines(linesOf(own)));
    const datasets = countsOf(own);
    const counts = { rows: own.length, prompts: placed.prompts[side], datasets };
    manifest[side] = { file: fileOf[side], sha256: hash.digest('hex'), ...counts };
  }
  const about = { format: 'a2sf-split', format_version: 1, code_version: suiteVersion() };
  const content = { ...about, shares: { train, validation, test }, data: files, sides: manifest };
  await writeFileAtomically(join(output, 'manifest.json'), `${JSON.stringify(content, null, 2)}\n`);
  process.stdout.write(`${table(placed.rows)}\n`);
}

function* linesOf(rows: readonly PlacedRow[]): Generator<object> {
  for (const { row } of rows) yield writeRow(row);
}

function countsOf(rows: readonly PlacedRow[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { row } of rows) counts.set(row.dataset, (counts.get(row.dataset) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([x], [y]) => (x < y ? -1 : 1)));
}

function refuseOthers(folder: string, overwrite: boolean): void {
  const there = [...Object.values(fileOf), 'manifest.json'].find((name) => existsSync(join(folder, name)));
  if (overwrite || there === undefined) return;
  const message = `output: ${folder} holds ${there} already; name another folder, or replace its files with --overwrite`;
  throw new A2sfError('FAILED_PRECONDITION', message, { field: 'output' });
}

function table(rows: readonly PlacedRow[]): string {
  const names = [...new Set(rows.map(({ row }) => row.dataset))].sort();
  const count = (side: Side, name?: string) =>
    String(rows.filter((row) => row.side === side && (name === undefined || row.row.dataset === name)).length);
  const line = (title: string, name?: string) => [title, ...sides.map((side) => count(side, name))];
  return alignedTable([['rows', ...sides], ...names.map((name) => line(name, name)), line('all')]);
}
