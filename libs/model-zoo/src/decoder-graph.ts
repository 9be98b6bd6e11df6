import type { Scope, Value } from '@a2sf/onnx-graph';
import type { LanguageModelShape } from './language-model.js';
import type { ModelWeights } from './model-weights.js';

/** What the attention of a layer works on: S new tokens in each of B rows. */
export interface NewTokens {
  readonly query: Value; // [B, G, R * S, D], scaled
  readonly key: Value; // [B, G, S, D]
  readonly value: Value; // [B, G, S, D]
}

/** softmax(q K' / sqrt(D)) V of a layer over the cache and the new tokens, causal: [B, G, R * S, D]. */
export type LayerAttention = (layer: number, tokens: NewTokens) => Value;

/** The new tokens, and the rows of the flattened [B * S] whose logits are wanted (undefined: all). */
export interface DecoderInputs {
  readonly ids: Value; // [B, S]
  readonly positions: Value; // [B, S]
  readonly logitRows: Value | undefined; // [R]
}

/**
 * The part of a language model's graph that every decoder-only family shares: heads, attention, linear layers, the head. A
 * family adds its embedding, norms, projections and MLP. The residual stream is [N, hidden] with N = B * S.
 */
export class DecoderGraph {
  /** [B, S] */
  readonly ids: Value;
  /** [B, S] */
  readonly positions: Value;
  private readonly batchAndLength: Value; // [B, S]
  private readonly scale: Value;

  constructor(
    readonly g: Scope,
    private readonly inputs: DecoderInputs,
    private readonly shape: LanguageModelShape,
    readonly weights: ModelWeights,
    private readonly attention: LayerAttention,
  ) {
    this.ids = inputs.ids;
    this.positions = inputs.positions;
    this.batchAndLength = g.op('Shape', [inputs.ids]);
    this.scale = g.scalar(1 / Math.sqrt(shape.headDim));
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
   * The attention of one layer over the cache and the new tokens.
   * @param q [N, H * D]; k, v [N, G * D]; q and k already rotated where the family rotates.
   * @returns [N, H * D]
   */
  attend(layer: number, q: Value, k: Value, v: Value): Value {
    const { g } = this;
    const { heads: H, kvHeads: G, headDim: D } = this.shape;
    const query = g.op('Mul', [g.op('Reshape', [this.toHeads(q, H), g.ints(0, G, -1, D)]), this.scale]);
    return this.fromHeads(this.attention(layer, { query, key: this.toHeads(k, G), value: this.toHeads(v, G) }));
  }

  /** The rows of [N, width] whose logits are wanted: [R, width]. After its attention the last layer runs on them alone. */
  wanted(x: Value): Value {
    return this.inputs.logitRows === undefined ? x : this.g.op('Gather', [x, this.inputs.logitRows]);
  }

  /** The head: [R, hidden] -> logits [R, V]. `name` is the weight of the embedding where both are tied. */
  logits(x: Value, name: string, hidden: number): Value {
    return this.linear(x, name, this.shape.vocab, hidden);
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
