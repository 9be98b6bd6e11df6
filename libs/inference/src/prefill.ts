import { chunkWindows, type ChunkWindows } from './chunk-windows.js';
import { cacheOutputs, stepsFeed, type StepModel } from './decode-step.js';
import type { WindowScores } from './key-selection.js';
import type { KvCache } from './kv-cache.js';
import { bool, float32, int64, type Feeds } from './onnx-session.js';
import type { Turns } from './turns.js';

/** Queries per run: larger chunks measured slower, smaller ones waste the matrix kernels. */
const chunkLength = 256;

/**
 * Queries of a run at least: the graph cuts them in two halves, and WebGPU cannot compute with an empty one. A chunk of one
 * query is read with itself behind, of which nothing is used.
 */
const leastQueries = 2;

export interface PrefillRequest {
  readonly ids: readonly number[];
  /** Windows to score the keys with, each [n]; may be empty. */
  readonly windows: readonly Float32Array[];
  /** Where the prompt's keys go: an empty cache with one row and room for them. */
  readonly cache: KvCache;
  /** Positions whose logits are wanted beside the last one's token, ascending. */
  readonly logitPositions?: readonly number[];
  readonly checkCancelled: () => void;
}

export interface Prefill {
  /** The first new token: the most probable after the last position, the lowest id on ties. */
  readonly next: number;
  /** Windowed scores: sum over the query heads of a KV head and over q of w_a(q) P[q, k]. */
  readonly scores: WindowScores;
  /** The logits asked for, [logitPositions, V]. */
  readonly logits: readonly Float32Array[];
}

/**
 * Runs a prompt through the model in chunks of queries, each against all keys so far, and adds up each key's windowed
 * attention. Memory is bounded by the chunk: no n x n matrix exists. Each chunk is a turn of its own.
 */
export async function prefill(model: StepModel, turns: Turns, request: PrefillRequest): Promise<Prefill> {
  const { session, shape } = model;
  const { ids, windows, cache, logitPositions = [], checkCancelled } = request;
  const n = ids.length;
  const scores = Array.from({ length: shape.layers }, () => new Float32Array(shape.kvHeads * windows.length * n));
  const logits: Float32Array[] = [];
  let next = 0;
  for (let start = 0; start < n; start += chunkLength) {
    checkCancelled();
    const end = Math.min(start + chunkLength, n);
    const wanted = logitPositions.filter((position) => position >= start && position < end);
    const last = end === n;
    const rows = [...wanted, ...(last ? [n - 1] : [])].map((position) => position - start);
    const chunk = chunkWindows(windows, start, end);
    const outputs = [...cacheOutputs(shape.layers), ...(chunk.count > 0 ? scoreOutputs(shape.layers) : [])];
    if (rows.length > 0) outputs.push('next');
    if (wanted.length > 0) outputs.push('logits');
    const count = end - start;
    const queries = Math.max(count, leastQueries);
    const feeds = { ...chunkFeeds(cache, ids, chunk, rows, [start, end], queries), ...stepsFeed(model, 0) };
    const result = await turns.take(() => session.run(feeds, outputs));
    for (let layer = 0; layer < shape.layers; layer++) {
      const rowsOf = (name: string): Float32Array =>
        firstRows(result[`${name}.${layer}`]!.data as Float32Array, count, queries, shape.headDim);
      cache.write(layer, rowsOf('key'), rowsOf('value'), count);
      if (chunk.count > 0) {
        const fresh = firstRows(result[`scores.${layer}`]!.data as Float32Array, end, start + queries, 1);
        addScores(scores[layer]!, [windows.length, n], fresh, end, chunk);
      }
    }
    cache.advance(count);
    if (wanted.length > 0) {
      const all = result['logits']!.data as Float32Array;
      const vocab = all.length / rows.length;
      wanted.forEach((_, i) => logits.push(all.slice(i * vocab, (i + 1) * vocab)));
    }
    if (last) next = Number((result['next']!.data as BigInt64Array)[rows.length - 1]);
  }
  return { next, scores: { n, windows: windows.length, layers: scores }, logits };
}

function scoreOutputs(layers: number): string[] {
  return Array.from({ length: layers }, (_, layer) => `scores.${layer}`);
}

function chunkFeeds(
  cache: KvCache,
  ids: readonly number[],
  windows: ChunkWindows,
  rows: readonly number[],
  [start, end]: readonly [number, number],
  queries: number,
): Feeds {
  const positions = Array.from({ length: queries }, (_, i) => Math.min(start + i, end - 1));
  const read = positions.map((position) => ids[position]!);
  const weights = new Float32Array(windows.count * queries);
  for (let row = 0; row < windows.count; row++) {
    weights.set(windows.rows.subarray(row * (end - start), (row + 1) * (end - start)), row * queries);
  }
  return {
    ...cache.feeds(),
    ids: int64(read, [1, queries]),
    positions: int64(positions, [1, queries]),
    decode: bool(false),
    past_length: int64([start], [1]),
    mask: float32(cache.causalMask(start, queries), [queries, start + queries]),
    windows: float32(weights, [windows.count, queries]),
    logit_rows: int64(rows, [rows.length]),
    targets: int64([], [0]),
  };
}

/** [blocks, all, width] -> [blocks, count, width]: the first rows of every block. */
function firstRows(data: Float32Array, count: number, all: number, width: number): Float32Array {
  if (count === all) return data;
  const blocks = data.length / (all * width);
  const first = new Float32Array(blocks * count * width);
  for (let block = 0; block < blocks; block++) {
    const from = block * all * width;
    first.set(data.subarray(from, from + count * width), block * count * width);
  }
  return first;
}

/** Adds a chunk's [G, U, T] to the sums [G, A, n], each row to those of its owners. */
function addScores(
  sums: Float32Array,
  [A, n]: readonly [number, number],
  chunk: Float32Array,
  total: number,
  { count, owners }: ChunkWindows,
): void {
  const heads = sums.length / (A * n);
  for (let head = 0; head < heads; head++) {
    owners.forEach((windows, row) => {
      const from = (head * count + row) * total;
      for (const window of windows) {
        const to = (head * A + window) * n;
        for (let k = 0; k < total; k++) sums[to + k]! += chunk[from + k]!;
      }
    });
  }
}
