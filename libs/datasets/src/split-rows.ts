import { A2sfError } from '@a2sf/errors';
import type { PromptRow } from './prompt-row.js';

/** Where a prompt may stand. */
export const sides = ['train', 'validation', 'test'] as const;
export type Side = (typeof sides)[number];

/** Share of the prompts per side: each in 0..1, 1 together. */
export type SplitShares = Readonly<Record<Side, number>>;

/** A row and its place. */
export interface PlacedRow {
  readonly row: PromptRow;
  readonly side: Side;
  /** Content hash of its prompt: `contentHash`. */
  readonly hash: string;
}

/** The rows of a split. */
export interface SplitRows {
  /** Sorted by content hash, then dataset, then id. */
  readonly rows: readonly PlacedRow[];
  /** Different prompts per side. */
  readonly prompts: Readonly<Record<Side, number>>;
}

/** SHA-256 of a text's UTF-8, hexadecimal. */
export type Sha256 = (text: string) => string;

/** What two prompts that differ in case, white space or the spelling of a character alone have in common. */
export function normalisedPrompt(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();
}

/** The hash by which prompts count as equal. */
export function contentHash(text: string, sha256: Sha256): string {
  return sha256(normalisedPrompt(text));
}

/**
 * Splits rows by content, so that rows of equal prompts (see normalisedPrompt) stand on one side.
 *
 * The different prompts are put in the order (stratum, hash), a stratum being a dataset (a prompt of several datasets
 * counts to the first by name); prompt k = 1, 2, ... goes to the side that lacks most, argmax share * k - taken, the first
 * on ties. So every side is within 1 prompt of its share over all and within 2 in each dataset, and neither the order of
 * rows nor a seed has a part in it. Adding rows may move prompts from one side to another: keep the files of a split.
 *
 * Throws INVALID_ARGUMENT for shares that are not, and when there are too few prompts for every side to get one.
 */
export function splitRows(rows: readonly PromptRow[], shares: SplitShares, sha256: Sha256): SplitRows {
  checkShares(shares);
  const groups = new Map<string, { stratum: string; readonly rows: PromptRow[] }>();
  for (const row of rows) {
    const hash = contentHash(row.text, sha256);
    const group = groups.get(hash);
    if (group === undefined) groups.set(hash, { stratum: row.dataset, rows: [row] });
    else {
      group.rows.push(row);
      if (row.dataset < group.stratum) group.stratum = row.dataset;
    }
  }
  const ordered = [...groups].sort(([h, g], [i, k]) => compare(g.stratum, k.stratum) || compare(h, i));
  const taken = { train: 0, validation: 0, test: 0 };
  const placed = ordered.flatMap(([hash, group], index) => {
    const lack = (side: Side) => shares[side] * (index + 1) - taken[side];
    const side = sides.reduce((most, each) => (lack(each) > lack(most) + 1e-9 ? each : most));
    taken[side]++;
    return group.rows.map((row): PlacedRow => ({ row, side, hash }));
  });
  const empty = sides.find((side) => shares[side] > 0 && taken[side] === 0);
  if (empty !== undefined) {
    throw A2sfError.invalid('data', `holds ${groups.size} different prompts, too few for ${empty} to get one`);
  }
  placed.sort(
    (x, y) =>
      compare(x.hash, y.hash) ||
      compare(x.row.dataset, y.row.dataset) ||
      compare(x.row.id, y.row.id) ||
      compare(x.row.text, y.row.text),
  );
  return { rows: placed, prompts: taken };
}

function checkShares(shares: SplitShares): void {
  for (const side of sides) {
    const share = shares[side];
    if (!(share >= 0 && share <= 1)) throw A2sfError.invalid(side, `must be in 0..1, got ${share}`);
  }
  const sum = sides.reduce((total, side) => total + shares[side], 0);
  if (Math.abs(sum - 1) > 1e-9) throw A2sfError.invalid('train', `the shares must sum to 1, got ${sum}`);
}

/** By UTF-16 code unit: the same on every machine, whatever its language. */
function compare(x: string, y: string): number {
  return x < y ? -1 : x > y ? 1 : 0;
}
