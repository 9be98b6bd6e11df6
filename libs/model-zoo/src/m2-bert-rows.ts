import type { GraphBuilder, Scope, Value } from '@a2sf/onnx-graph';
import { GatedProjection } from './gated-projection.js';
import type { ModelWeights } from './model-weights.js';
import { MonarchMlp, type MonarchMlpShape } from './monarch-mlp.js';

export interface M2BertRowShape extends MonarchMlpShape {
  readonly vocab: number;
  readonly positions: number;
  readonly types: number;
  /** Of the layer norms. */
  readonly epsilon: number;
}

/** Rows made of rows, [R, d], each by itself. */
export type RowFunction = (s: Scope, given: readonly Value[]) => Value;

/** What M2-BERT does to each row by itself. */
export class M2BertRows {
  constructor(
    private readonly g: GraphBuilder,
    private readonly weights: ModelWeights,
    private readonly shape: M2BertRowShape,
  ) {}

  /** Position embeddings, [positions, d]. */
  get places(): Value {
    const { positions, hidden: d } = this.shape;
    return this.weights.add(this.g, 'embeddings.position_embeddings.weight', [positions, d]);
  }

  /** Ids [R] and position embeddings -> LN(word + type 0 + position). */
  embedding(): RowFunction {
    const { g, weights } = this;
    const { vocab, types, hidden: d, epsilon } = this.shape;
    // The published code rounds the vocabulary up to a multiple of 8.
    const words = weights.add(g, 'embeddings.word_embeddings.weight', [8 * Math.ceil(vocab / 8), d]);
    const all = weights.add(g, 'embeddings.token_type_embeddings.weight', [types, d]);
    const type = g.op('Slice', [all, g.ints(0), g.ints(1), g.ints(0)]);
    const norm = this.norm('embeddings.LayerNorm');
    return (s, [id, place]) => {
      const sum = s.op('Add', [s.op('Add', [s.op('Gather', [words, id!]), type]), place!]);
      return s.op('LayerNormalization', [sum, ...norm], { axis: -1, epsilon: { float: epsilon } });
    };
  }

  projection(layer: number, firstOnly: boolean): GatedProjection {
    return new GatedProjection(this.g, this.weights, attention(layer), this.shape.hidden, firstOnly);
  }

  /** Both convolutions' rows, of the gated ones and of x, and x2 -> y = (gated x2 + residual) W' + b, then LN(y + MLP(y)). */
  mixer(layer: number): RowFunction {
    const { g, weights } = this;
    const { hidden: d, epsilon } = this.shape;
    const weight = weights.add(g, `${attention(layer)}.out_linear.weight`, [d, d]);
    const bias = weights.add(g, `${attention(layer)}.out_linear.bias`, [d]);
    const mlp = new MonarchMlp(g, weights, `encoder.layer.${layer}.mlp`, this.shape);
    const norm = this.norm(`encoder.layer.${layer}.mlp.layernorm`);
    return (s, [gated, residual, x2]) => {
      const mixed = s.op('Add', [s.op('Mul', [gated!, x2!]), residual!]);
      const y = s.op('Gemm', [mixed, weight, bias], { transB: 1 });
      const inputs = [y, mlp.withoutBias(s, y), ...norm, mlp.bias];
      return s.contrib('SkipLayerNormalization', inputs, { epsilon: { float: epsilon } });
    };
  }

  /** Weight and bias of a layer norm. */
  private norm(at: string): [Value, Value] {
    const read = (name: string): Value => this.weights.add(this.g, `${at}.${name}`, [this.shape.hidden]);
    return [read('weight'), read('bias')];
  }
}

const attention = (layer: number): string => `encoder.layer.${layer}.attention`;
