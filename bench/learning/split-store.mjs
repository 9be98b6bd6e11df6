// Parts of a reward store that are stores themselves: rows are copied as they are, so that all of a split is computed once.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createReadStream } from 'node:fs';

export const sides = ['train', 'validation', 'test'];

/** Side of each `dataset id`, as a folder written by `a2sf dataset split` says. */
function sidesOfSplit(folder) {
  const files = { train: 'train.jsonl', validation: 'validation.jsonl', test: 'eval.jsonl' };
  const side = new Map();
  for (const name of sides) {
    for (const line of readFileSync(join(folder, files[name]), 'utf8').split('\n').filter(Boolean)) {
      const { id, dataset } = JSON.parse(line);
      side.set(`${dataset} ${id}`, name);
    }
  }
  return ({ dataset, id }) => side.get(`${dataset} ${id}`);
}

/** The same without the prompts: of each dataset, by the hash of the text, `shares` of the rows. */
function sidesByHash(rows, shares) {
  const side = new Map();
  const order = (hash) => createHash('sha256').update(`split ${hash}`).digest('hex');
  for (const dataset of new Set(rows.map((row) => row.dataset))) {
    const hashes = [...new Set(rows.filter((row) => row.dataset === dataset).map(({ hash }) => hash))];
    hashes.sort((x, y) => (order(x) < order(y) ? -1 : 1));
    const train = Math.round(shares.train * hashes.length);
    const validation = Math.round((shares.train + shares.validation) * hashes.length);
    for (const [i, hash] of hashes.entries())
      side.set(hash, i < train ? 'train' : i < validation ? 'validation' : 'test');
  }
  return ({ hash }) => side.get(hash);
}

/** Writes the stores `train`, `validation`, `test` and `both` (the first two) into a folder; how many prompts each has. */
export async function splitStore(store, output, { split, shares }) {
  const manifest = JSON.parse(readFileSync(join(store, 'manifest.json'), 'utf8'));
  if (manifest.counts === undefined) throw new Error(`${store} is not finished`);
  const lines = [];
  const input = createReadStream(join(store, 'rows.jsonl'), 'utf8');
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    if (text === '') continue;
    const record = JSON.parse(text);
    lines.push({ text, row: record });
  }
  const sideOf =
    split === undefined
      ? sidesByHash(
          lines.map(({ row }) => row),
          shares,
        )
      : sidesOfSplit(split);
  const counts = {};
  for (const [name, members] of [...sides.map((side) => [side, [side]]), ['both', ['train', 'validation']]]) {
    const own = lines.filter(({ row }) => members.includes(sideOf(row)));
    const keptAll = own.filter(({ row }) => row.kept_all).length;
    const folder = join(output, name);
    mkdirSync(folder, { recursive: true });
    const part = {
      ...manifest,
      provenance: { ...manifest.provenance, prompts: own.length },
      counts: { rows: own.length - keptAll, kept_all: keptAll },
    };
    writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(part, null, 2)}\n`);
    writeFileSync(join(folder, 'rows.jsonl'), own.map(({ text }) => `${text}\n`).join(''));
    counts[name] = own.length - keptAll;
  }
  return { counts, provenance: manifest.provenance };
}
