import type { KvCache } from './kv-cache.js';
import { bool, float32, int64, type OnnxSession, type Tensor } from './onnx-session.js';
import { cacheOutputs } from './prefill.js';

export interface DecodeRequest {
  /** One slot a row; new keys are written into it. */
  readonly cache: KvCache;
  /** Per row the token that the prefill chose. */
  readonly first: readonly number[];
  /** Per row the position of its first new token. New tokens go on from the prompt's length, whatever was kept. */
  readonly positions: readonly number[];
  readonly maxNewTokens: number;
  /** Tokens that end a row; empty = none. */
  readonly endTokens: ReadonlySet<number>;
  readonly checkCancelled: () => void;
  /** Told of each row's new token as it comes; answering false ends the row. */
  readonly onToken?: (row: number, token: number) => boolean;
  /** Draws a row's next token from its logits [V]; absent: the most probable one, the lowest id on ties. */
  readonly draw?: (row: number, logits: Float32Array) => number;
}

/**
 * Decodes a batch of slots, one token a row and step. Greedy decoding takes the maximum in the graph, so that logits leave
 * it only when tokens are drawn. A row ends with an end token (which is kept in its list), after `maxNewTokens`, or when
 * `onToken` says so.
 * @returns the new tokens of each row.
 */
export async function decode(session: OnnxSession, request: DecodeRequest): Promise<number[][]> {
  const { cache, first, positions, maxNewTokens, endTokens, checkCancelled, onToken = () => true, draw } = request;
  const { layers } = cache.shape;
  const outputs = [...cacheOutputs(layers), draw === undefined ? 'next' : 'logits'];
  const tokens: number[][] = first.map(() => []);
  const live = new Set(first.keys());
  let current = [...first];
  const accept = (row: number): void => {
    const token = current[row]!;
    tokens[row]!.push(token);
    const goesOn = onToken(row, token);
    if (!goesOn || endTokens.has(token) || tokens[row]!.length === maxNewTokens) live.delete(row);
  };
  for (const row of live) accept(row);
  for (let step = 0; live.size > 0; step++) {
    checkCancelled();
    const rows = cache.rows;
    const result = await session.run(
      {
        ...cache.feeds(),
        ids: int64(current, [rows, 1]),
        positions: int64(
          positions.map((position) => position + step),
          [rows, 1],
        ),
        decode: bool(true),
        past_length: int64([0], [1]),
        mask: float32(cache.mask, [rows, cache.capacity]),
        windows: float32(new Float32Array(0), [0, 1]),
        logit_rows: int64([...Array(rows).keys()], [rows]),
      },
      outputs,
    );
    for (let layer = 0; layer < layers; layer++) {
      cache.write(
        layer,
        result[`key.${layer}`]!.data as Float32Array,
        result[`value.${layer}`]!.data as Float32Array,
        1,
      );
    }
    cache.advance(1);
    current = draw === undefined ? greedy(result['next']!) : drawn(result['logits']!, draw);
    for (const row of live) accept(row);
  }
  return tokens;
}

const greedy = (next: Tensor): number[] => Array.from(next.data as BigInt64Array, Number);

/** One draw a row from [B, V]. */
function drawn(logits: Tensor, draw: (row: number, logits: Float32Array) => number): number[] {
  const [rows, vocab] = logits.dims as [number, number];
  const data = logits.data as Float32Array;
  return Array.from({ length: rows }, (_, row) => draw(row, data.subarray(row * vocab, (row + 1) * vocab)));
}
