import type { Scope, Subgraph, Value } from '@a2sf/onnx-graph';
import { timesTransposed } from './times-transposed.js';

/** One half of a chunk's queries. */
interface Half {
  readonly from: Value; // [1]
  readonly to: Value; // [1]
  readonly mask: Value; // [to - from, T]
  readonly windows: Value; // [A, to - from]
}

/** A chunk of S queries, the same for every layer. */
export interface PrefillChunk {
  readonly pastLength: Value; // [1]
  /** T = past + S. */
  readonly total: Value; // [1]
  readonly halves: readonly [Half, Half];
  /** [] bool: are there windows? */
  readonly scored: Value;
}

/** What a layer's chunk attends with and to; P keys fit the cache's buffers. */
export interface PrefillAttention {
  readonly query: Value; // [1, G, R * S, D], scaled
  readonly key: Value; // [1, G, S, D]
  readonly value: Value; // [1, G, S, D]
  readonly pastKey: Value; // [1, G, P, D]
  readonly pastValue: Value; // [1, G, P, D]
}

/** KV heads, query heads of each, and their size. */
export interface HeadShape {
  readonly G: number;
  readonly R: number;
  readonly D: number;
}

/** Query heads of a tile: with half a chunk's queries its probabilities fit the second-level caches up to 4096 keys or so. */
const tileHeads = 4;

/**
 * Cuts a chunk in two; the first half is the larger, so that only the second can be empty.
 * @param mask [S, T]: 0 where a key may be seen, a large negative number elsewhere.
 * @param windows [A, S]
 */
export function prefillChunk(
  g: Scope,
  length: Value,
  { pastLength, mask, windows }: { readonly pastLength: Value; readonly mask: Value; readonly windows: Value },
): PrefillChunk {
  const first = g.op('Div', [g.op('Add', [length, g.ints(1)]), g.ints(2)]);
  const half = (from: Value, to: Value): Half => {
    const rows = g.op('Slice', [mask, from, to, g.ints(0)]);
    return { from, to, mask: rows, windows: g.op('Slice', [windows, from, to, g.ints(1)]) };
  };
  const scored = g.op('Greater', [g.op('Size', [windows]), g.int(0)]);
  return {
    pastLength,
    total: g.op('Add', [pastLength, length]),
    halves: [half(g.ints(0), first), half(first, length)],
    scored,
  };
}

/**
 * A chunk of S queries over the T = past + S keys so far, with the chunk's share of the windowed scores:
 *
 *     o[h, q] = sum_k P[h, q, k] v[k],  P = softmax(q k' + mask)
 *     scores[g, a, k] = sum_q w_a(q) sum_{h in g} P[h, q, k]
 *
 * It is computed in tiles of a few KV heads and half the queries each, so that a tile's probabilities are still in the
 * processor's caches when the next operator reads them (measured at 2048 keys and more: a fifth less time). The heads of a
 * group are summed before the window product.
 */
export function prefillAttention(
  g: Subgraph,
  { query, key, value, pastKey, pastValue }: PrefillAttention,
  { pastLength, total, halves, scored }: PrefillChunk,
  { G, R, D }: HeadShape,
): void {
  const queries = g.op('Reshape', [query, g.op('Concat', [g.ints(G, R), halves[1].to, g.ints(D)], { axis: 0 })]);
  const perTile = tileKvHeads(G, R);
  const reshape = (x: Value, shape: Value): Value => g.op('Reshape', [x, shape], { allowzero: 1 }); // the second half may be empty
  const mixed: Value[] = [];
  const scores: Value[] = [];
  for (let head = 0; head < G; head += perTile) {
    const heads = { from: g.ints(head), to: g.ints(head + perTile) };
    const upTo = (past: Value, fresh: Value): Value => {
      const before = slice2(g, past, [1, 2], [heads.from, heads.to], [g.ints(0), pastLength]);
      const all = g.op('Concat', [before, g.op('Slice', [fresh, heads.from, heads.to, g.ints(1)])], { axis: 2 });
      return g.op('Squeeze', [all, g.ints(0)]); // [perTile, T, D]
    };
    const keys = upTo(pastKey, key);
    const values = upTo(pastValue, value);
    const parts = halves.map(({ from, to, mask, windows }) => {
      const rows = g.op('Sub', [to, from]);
      const joined = g.op('Mul', [rows, g.ints(R)]);
      const shape = (...sizes: Value[]): Value => g.op('Concat', [g.ints(perTile), ...sizes], { axis: 0 });
      const own = slice2(g, queries, [0, 2], [heads.from, heads.to], [from, to]); // [perTile, R, rows, D]
      const logits = timesTransposed(g, reshape(own, shape(joined, g.ints(D))), keys, 3);
      const masked = g.op('Add', [reshape(logits, shape(g.ints(R), rows, total)), mask]); // [perTile, R, rows, T]
      const p = g.op('Softmax', [masked], { axis: -1 });
      const output = g.op('MatMul', [reshape(p, shape(joined, total)), values]);
      return {
        output: reshape(output, shape(g.ints(R), rows, g.ints(D))),
        score: windowScores(g, p, windows, scored, R),
      };
    });
    mixed.push(
      g.op(
        'Concat',
        parts.map(({ output }) => output),
        { axis: 2 },
      ),
    ); // [perTile, R, S, D]
    scores.push(g.op('Add', [parts[0]!.score, parts[1]!.score])); // [perTile, A, T]
  }
  g.result(g.op('Reshape', [g.op('Concat', mixed, { axis: 0 }), g.ints(1, G, -1, D)]), 'float32', ['B', G, 'RS', D]);
  g.result(g.op('Concat', scores, { axis: 0 }), 'float32', [G, 'A', 'T']);
}

/** sum_q w_a(q) sum_r P[g, r, q, k]: [heads, A, T], nothing without windows. */
function windowScores(g: Subgraph, p: Value, windows: Value, scored: Value, R: number): Value {
  const score = (branch: Subgraph): void => {
    branch.result(branch.op('MatMul', [windows, headSums(branch, p, R)]), 'float32', ['g', 'A', 'T']);
  };
  const nothing = (branch: Subgraph): void =>
    branch.result(branch.floats(new Float32Array(0), [1, 0, 1]), 'float32', ['g', 'A', 'T']);
  return g.branch(scored, 1, score, nothing)[0]!;
}

/**
 * sum_r P[g, r, q, k]: [heads, rows, T]. As the product of one row of ones: onnxruntime's ReduceSum over an axis before others
 * takes four times as long as reading P once.
 */
function headSums(g: Scope, p: Value, R: number): Value {
  if (R === 1) return g.op('Squeeze', [p, g.ints(1)]);
  const shape = g.op('Shape', [p]);
  const flat = g.op('Reshape', [p, g.ints(0, R, -1)]);
  const sums = g.op('MatMul', [g.floats(new Float32Array(R).fill(1), [1, R]), flat]); // [heads, 1, rows * T]
  const size = (axis: number): Value => g.op('Slice', [shape, g.ints(axis), g.ints(axis + 1)]);
  const shaped = g.op('Concat', [size(0), size(2), size(3)], { axis: 0 });
  return g.op('Reshape', [sums, shaped], { allowzero: 1 }); // no rows where a chunk has one query
}

/** The most KV heads, a divisor of G, whose query heads are at most `tileHeads`; at least one. */
function tileKvHeads(G: number, R: number): number {
  let most = 1;
  for (let heads = 2; heads <= G && heads * R <= tileHeads; heads++) if (G % heads === 0) most = heads;
  return most;
}

/** A range of each of two axes. */
function slice2(
  g: Scope,
  x: Value,
  axes: readonly [number, number],
  ...ranges: readonly (readonly [from: Value, to: Value])[]
): Value {
  const bounds = (side: 0 | 1): Value =>
    g.op(
      'Concat',
      ranges.map((range) => range[side]),
      { axis: 0 },
    );
  return g.op('Slice', [x, bounds(0), bounds(1), g.ints(...axes)]);
}
