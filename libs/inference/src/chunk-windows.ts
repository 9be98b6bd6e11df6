/** The windows of one chunk of queries: each different row once, and whose row it is. */
export interface ChunkWindows {
  /** [U, S] float32. */
  readonly rows: Float32Array;
  /** Number of different rows. */
  readonly count: number;
  /** Per row the windows that have these weights over the chunk. */
  readonly owners: readonly (readonly number[])[];
}

/**
 * A weight below this is none: a prompt of 2^20 queries gives a key less than 2^-40 by such weights, far below what a
 * float32 sum that any other query counts in can show.
 */
const negligible = 2 ** -60;

/**
 * Cuts the windows to the queries start..end-1. A window without weight there needs no scores of this chunk, and windows
 * with equal weights (a step's are all 1 behind it) share theirs: of sixty windows of a long prompt about half are left.
 */
export function chunkWindows(windows: readonly Float32Array[], start: number, end: number): ChunkWindows {
  const length = end - start;
  const different: Float32Array[] = [];
  const owners: number[][] = [];
  windows.forEach((window, index) => {
    const row = window.subarray(start, end);
    if (row.every((weight) => weight < negligible)) return;
    const known = different.findIndex((other) => equal(other, row));
    if (known >= 0) {
      owners[known]!.push(index);
      return;
    }
    different.push(row);
    owners.push([index]);
  });
  const rows = new Float32Array(different.length * length);
  different.forEach((row, i) => rows.set(row, i * length));
  return { rows, count: different.length, owners };
}

function equal(x: Float32Array, y: Float32Array): boolean {
  return x.every((weight, i) => weight === y[i]);
}
