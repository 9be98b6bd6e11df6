import type { Scope, Value } from '@a2sf/onnx-graph';
import type { HeadShape } from './prefill-attention.js';
import { timesTransposed } from './times-transposed.js';

/** What S new tokens a row attend with and to; P keys fit a row of the cache, J keys are newer than the cache. */
export interface DecodeAttention {
  readonly query: Value; // [B, G, R * S, D], scaled
  readonly pastKey: Value; // [B, G, P, D]
  readonly pastValue: Value; // [B, G, P, D]
  readonly mask: Value; // [B, P]: 0 for a key in use, a large negative number behind the row's length
  readonly key: Value; // [B, G, J, D], up to the new tokens' own
  readonly value: Value; // [B, G, J, D]
  /** [S, J]: 0 where a new token may see a newer key, a large negative number elsewhere; undefined: it sees all. */
  readonly causal: Value | undefined;
}

/**
 * softmax([q K' + mask, q k' + causal]) [V; v]: [B, G, R * S, D]. The past is read in place: nothing of it is copied or put
 * out. Each query head is a product of its own: of one row (S = 1) the matrix kernels read K and V as they lie, while R rows
 * at once make them copy both into another layout at every step, at twice the time.
 */
export function decodeAttention(
  g: Scope,
  { query, pastKey, pastValue, mask, key, value, causal }: DecodeAttention,
  { G, R, D }: HeadShape,
): Value {
  const forEachHead = (x: Value): Value => g.op('Unsqueeze', [x, g.ints(2)]); // [B, G, n, D] -> [B, G, 1, n, D]
  const perHead = g.op('Reshape', [query, g.ints(0, G, R, -1, D)]); // [B, G, R, S, D]
  const past = timesTransposed(g, perHead, forEachHead(pastKey), 5); // [B, G, R, S, P]
  const own = timesTransposed(g, perHead, forEachHead(key), 5); // [B, G, R, S, J]
  const seen = [
    g.op('Add', [past, g.op('Unsqueeze', [mask, g.ints(1, 2, 3)])]),
    causal === undefined ? own : g.op('Add', [own, causal]),
  ];
  const p = g.op('Softmax', [g.op('Concat', seen, { axis: -1 })], { axis: -1 }); // [B, G, R, S, P + J]
  const behind = g.op('Neg', [g.op('Shape', [key], { start: 2, end: 3 })]); // [-J]
  const pastP = g.op('Slice', [p, g.ints(0), behind, g.ints(-1)]);
  const ownP = g.op('Slice', [p, behind, g.ints(2 ** 31 - 1), g.ints(-1)]);
  const mixed = [g.op('MatMul', [pastP, forEachHead(pastValue)]), g.op('MatMul', [ownP, forEachHead(value)])];
  return g.op('Reshape', [g.op('Add', mixed), g.ints(0, G, -1, D)]);
}
