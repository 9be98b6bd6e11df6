import { GraphBuilder, type Subgraph, type Value } from '@a2sf/onnx-graph';
import type { LanguageModelShape } from './language-model.js';
import type { ModelWeights } from './model-weights.js';
import { prefillAttention, prefillChunk } from './prefill-attention.js';

/**
 * The part of a language model's graph that every decoder-only family shares: inputs and outputs (see
 * LanguageModelFamily), attention over the cache with the windowed scores, and the head. A family adds its embedding,
 * norms, projections and MLP. The residual stream is [N, hidden] with N = B * S.
 */
export class DecoderGraph {
  readonly g = new GraphBuilder();
  /** [B, S] */
  readonly ids: Value = this.g.input('ids', 'int64', ['B', 'S']);
  /** [B, S] */
  readonly positions: Value = this.g.input('positions', 'int64', ['B', 'S']);
  private readonly decode = this.g.input('decode', 'bool', []);
  private readonly pastLength = this.g.input('past_length', 'int64', [1]);
  private readonly mask = this.g.input('mask', 'float32', ['M', 'K']);
  private readonly windows = this.g.input('windows', 'float32', ['A', 'W']);
  private readonly logitRows = this.g.input('logit_rows', 'int64', ['R']);
  private readonly targets = this.g.input('targets', 'int64', ['L']);
  private readonly causal = causalMask(this.g, this.ids); // [S, S]
  private readonly batchAndLength = this.g.op('Shape', [this.ids]); // [B, S]
  private readonly chunk = prefillChunk(this.g, this.g.op('Shape', [this.ids], { start: 1, end: 2 }), {
    pastLength: this.pastLength,
    mask: this.mask,
    windows: this.windows,
  });
  private readonly scale: Value;

  constructor(
    private readonly shape: LanguageModelShape,
    private readonly weights: ModelWeights,
  ) {
    this.scale = this.g.scalar(1 / Math.sqrt(shape.headDim));
  }

  /** [B, S] -> [N] */
  flat(x: Value): Value {
    return this.g.op('Reshape', [x, this.g.ints(-1)]);
  }

  /** [N, width] -> [B, S, width] */
  unflat(x: Value): Value {
    return this.g.op('Reshape', [x, this.g.op('Concat', [this.batchAndLength, this.g.ints(-1)], { axis: 0 })]);
  }

  /** x [N, input] W' (+ b) -> [N, output], in the form that the weights are stored in. */
  linear(x: Value, name: string, output: number, input: number, bias = false): Value {
    const added = bias ? this.weights.add(this.g, `${name}.bias`, [output]) : undefined;
    return this.weights.product(this.g, x, `${name}.weight`, [output, input], added);
  }

  /**
   * softmax(q K' / sqrt(D)) V of one layer, over the cache and the new tokens, causal; declares the layer's inputs and
   * outputs.
   * @param q [N, H * D]; k, v [N, G * D]; q and k already rotated where the family rotates.
   * @returns [N, H * D]
   */
  attend(layer: number, q: Value, k: Value, v: Value): Value {
    const { g } = this;
    const { heads: H, kvHeads: G, headDim: D } = this.shape;
    const R = H / G; // query heads of a KV head
    const pastKey = g.input(`past_key.${layer}`, 'float32', ['B', G, 'P', D]);
    const pastValue = g.input(`past_value.${layer}`, 'float32', ['B', G, 'P', D]);
    const key = this.toHeads(k, G);
    const value = this.toHeads(v, G);
    const query = g.op('Mul', [g.op('Reshape', [this.toHeads(q, H), g.ints(0, G, -1, D)]), this.scale]); // [B, G, R * S, D]
    const attention = { query, key, value, pastKey, pastValue, mask: this.mask };
    const [mixed, scores] = g.branch(
      this.decode,
      2,
      (branch) => decodeAttention(branch, { ...attention, causal: this.causal }, { G, R, D }),
      (branch) => prefillAttention(branch, attention, this.chunk, { G, R, D }),
    ) as [Value, Value];
    g.output(`key.${layer}`, key, 'float32', ['B', G, 'S', D]);
    g.output(`value.${layer}`, value, 'float32', ['B', G, 'S', D]);
    g.output(`scores.${layer}`, scores, 'float32', [G, 'A', 'T']);
    return this.fromHeads(mixed);
  }

  /** The rows of [N, width] whose logits are wanted: [R, width]. After its attention the last layer runs on them alone. */
  wanted(x: Value): Value {
    return this.g.op('Gather', [x, this.logitRows]);
  }

  /** The head: logits of [R, hidden] and their largest. `name` is the weight of the embedding where both are tied. */
  finish(x: Value, name: string, hidden: number): Uint8Array {
    const logits = this.linear(x, name, this.shape.vocab, hidden);
    this.g.output('logits', logits, 'float32', ['R', this.shape.vocab]);
    this.g.output('next', this.g.op('ArgMax', [logits], { axis: -1, keepdims: 0 }), 'int64', ['R']);
    this.g.output('log_probs', this.logProbs(logits), 'float32', ['L']);
    return this.g.serialize();
  }

  /** ln softmax(logits)[row, target of the row]: [R], or nothing where no targets are given. */
  private logProbs(logits: Value): Value {
    const { g } = this;
    const given = g.op('Greater', [g.op('Size', [this.targets]), g.int(0)]);
    const score = (branch: Subgraph): void => {
      const column = branch.op('Unsqueeze', [this.targets, branch.ints(-1)]);
      const chosen = branch.op('Squeeze', [
        branch.op('GatherElements', [logits, column], { axis: 1 }),
        branch.ints(-1),
      ]);
      const total = branch.op('ReduceLogSumExp', [logits, branch.ints(-1)], { keepdims: 0 });
      branch.result(branch.op('Sub', [chosen, total]), 'float32', ['L']);
    };
    const nothing = (branch: Subgraph): void =>
      branch.result(branch.floats(new Float32Array(0), [0]), 'float32', ['L']);
    return g.branch(given, 1, score, nothing)[0]!;
  }

  /** [N, heads * D] -> [B, heads, S, D] */
  private toHeads(x: Value, heads: number): Value {
    const shape = this.g.op('Concat', [this.batchAndLength, this.g.ints(heads, this.shape.headDim)], { axis: 0 });
    return this.g.op('Transpose', [this.g.op('Reshape', [x, shape])], { perm: [0, 2, 1, 3] });
  }

  /** [B, G, R * S, D] -> [N, H * D] */
  private fromHeads(x: Value): Value {
    const { g } = this;
    const { heads: H, headDim: D } = this.shape;
    const size = (axis: number): Value => g.op('Shape', [this.ids], { start: axis, end: axis + 1 });
    const perHead = g.op('Reshape', [x, g.op('Concat', [size(0), g.ints(H), size(1), g.ints(D)], { axis: 0 })]); // [B, H, S, D]
    return g.op('Reshape', [g.op('Transpose', [perHead], { perm: [0, 2, 1, 3] }), g.ints(-1, H * D)]);
  }
}

interface AttentionValues {
  readonly query: Value; // [B, G, R * S, D], scaled
  readonly key: Value; // [B, G, S, D]
  readonly value: Value; // [B, G, S, D]
  readonly pastKey: Value; // [B, G, P, D]
  readonly pastValue: Value; // [B, G, P, D]
  readonly mask: Value;
}

/** [S, S]: 0 where the key is not behind the query, a large negative number elsewhere. */
function causalMask(g: GraphBuilder, ids: Value): Value {
  const size = g.op('Squeeze', [g.op('Shape', [ids], { start: 1, end: 2 })]);
  const range = g.op('Range', [g.int(0), size, g.int(1)]);
  const ahead = g.op('Greater', [g.op('Unsqueeze', [range, g.ints(0)]), g.op('Unsqueeze', [range, g.ints(1)])]);
  return g.op('Where', [ahead, g.scalar(-1e30), g.scalar(0)]);
}

/**
 * S new tokens a row over (past, themselves): softmax([q K' + mask, q k' + causal]) [V; v]. The past is read in place:
 * nothing of it is copied or put out. Each query head is a product of its own: of one row (S = 1) the matrix kernels read K
 * and V as they lie, while R rows at once make them copy both into another layout at every step, at twice the time.
 */
function decodeAttention(
  g: Subgraph,
  { query, key, value, pastKey, pastValue, mask, causal }: AttentionValues & { causal: Value },
  { G, R, D }: { G: number; R: number; D: number },
): void {
  const forEachHead = (x: Value): Value => g.op('Unsqueeze', [x, g.ints(2)]); // [B, G, n, D] -> [B, G, 1, n, D]
  const perHead = g.op('Reshape', [query, g.ints(0, G, R, -1, D)]); // [B, G, R, S, D]
  const past = g.contrib('FusedMatMul', [perHead, forEachHead(pastKey)], { transB: 1 }); // [B, G, R, S, P]
  const own = g.contrib('FusedMatMul', [perHead, forEachHead(key)], { transB: 1 }); // [B, G, R, S, S]
  const visible = [g.op('Add', [past, g.op('Unsqueeze', [mask, g.ints(1, 2, 3)])]), g.op('Add', [own, causal])];
  const p = g.op('Softmax', [g.op('Concat', visible, { axis: -1 })], { axis: -1 }); // [B, G, R, S, P + S]
  const behind = g.op('Neg', [g.op('Shape', [key], { start: 2, end: 3 })]); // [-S]
  const pastP = g.op('Slice', [p, g.ints(0), behind, g.ints(-1)]);
  const ownP = g.op('Slice', [p, behind, g.ints(2 ** 31 - 1), g.ints(-1)]);
  const mixed = g.op('Add', [
    g.op('MatMul', [pastP, forEachHead(pastValue)]),
    g.op('MatMul', [ownP, forEachHead(value)]),
  ]); // [B, G, R, S, D]
  g.result(g.op('Reshape', [mixed, g.ints(0, G, -1, D)]), 'float32', ['B', G, 'RS', D]);
  g.result(g.floats(new Float32Array(0), [G, 0, 0]), 'float32', [G, 'A', 'T']);
}
