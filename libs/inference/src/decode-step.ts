import type { CacheShape, KvCache } from './kv-cache.js';
import { bool, float32, int64, type Feeds, type OnnxSession, type Tensor } from './onnx-session.js';

/** A session and the sizes of its cache. */
export interface StepModel {
  readonly session: OnnxSession;
  readonly shape: CacheShape;
  /** Tokens that one run may decode; more than one needs a graph with a loop. */
  readonly stepsPerRun: number;
}

/** The newest token of a row. */
export interface StepRow {
  readonly token: number;
  readonly position: number;
  /** Draws the next token from its logits [V]; absent: the most probable one, the lowest id on ties. */
  readonly draw: ((logits: Float32Array) => number) | undefined;
}

/**
 * Decodes one token of the first rows of a cache, or several where all are greedy and the graph can, and writes their new
 * keys into it. Greedy rows take the maximum in the graph, so that logits leave it only when some row draws.
 * @param most tokens that every row has room for.
 * @returns per row its next tokens, as many for each.
 */
export async function decodeStep(
  model: StepModel,
  cache: KvCache,
  rows: readonly StepRow[],
  most = 1,
): Promise<number[][]> {
  const { session, shape, stepsPerRun } = model;
  const count = rows.length;
  const greedy = rows.every(({ draw }) => draw === undefined);
  const steps = greedy ? Math.min(most, stepsPerRun) : 1;
  const outputs = [...cacheOutputs(shape.layers), 'next'];
  if (!greedy) outputs.push('logits');
  const feeds = newTokenFeeds(
    cache,
    rows.map(({ token }) => token),
    rows.map(({ position }) => position),
    [count, 1],
  );
  const result = await session.run({ ...feeds, ...stepsFeed(model, steps === 1 ? 0 : steps) }, outputs);
  for (let layer = 0; layer < shape.layers; layer++) {
    cache.write(layer, floats(result[`key.${layer}`]!), floats(result[`value.${layer}`]!), steps);
  }
  cache.advance(steps, count);
  const next = result['next']!.data as BigInt64Array; // [steps, rows]
  return rows.map(({ draw }, row) =>
    draw === undefined
      ? Array.from({ length: steps }, (_, step) => Number(next[step * count + row]!))
      : [draw(logitsOf(result['logits']!, row))],
  );
}

/** The input `steps` of a graph with a loop: tokens to decode greedily in this run, 0 for a run without. */
export function stepsFeed({ stepsPerRun }: StepModel, steps: number): Feeds {
  return stepsPerRun === 1 ? {} : { steps: int64([steps], []) };
}

/** Feeds of S new tokens in each of the first B rows of a cache; all their logits are wanted. */
export function newTokenFeeds(
  cache: KvCache,
  ids: readonly number[],
  positions: readonly number[],
  [rows, length]: readonly [number, number],
  targets: readonly number[] = [],
): Feeds {
  return {
    ...cache.feeds(rows),
    ids: int64(ids, [rows, length]),
    positions: int64(positions, [rows, length]),
    decode: bool(true),
    past_length: int64([0], [1]),
    mask: float32(cache.mask.subarray(0, rows * cache.capacity), [rows, cache.capacity]),
    windows: float32(new Float32Array(0), [0, length]),
    logit_rows: int64([...Array(ids.length).keys()], [ids.length]),
    targets: int64(targets, [targets.length]),
  };
}

/** Names of the outputs that carry new cache rows. */
export function cacheOutputs(layers: number): string[] {
  return Array.from({ length: layers }, (_, layer) => [`key.${layer}`, `value.${layer}`]).flat();
}

const floats = (tensor: Tensor): Float32Array => tensor.data as Float32Array;

function logitsOf(logits: Tensor, row: number): Float32Array {
  const vocab = logits.dims[1]!;
  return floats(logits).subarray(row * vocab, (row + 1) * vocab);
}
