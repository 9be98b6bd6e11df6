import type { GraphBuilder, Scope, Value } from '@a2sf/onnx-graph';
import type { ModelWeights } from './model-weights.js';

export interface MonarchMlpShape {
  /** d */
  readonly hidden: number;
  /** I */
  readonly intermediate: number;
  /** B, even. */
  readonly blocks: number;
}

/**
 * The gated MLP of M2-BERT, MLP(y) = BD_wo(gelu(h[0:I]) * h[I:2I]) + b with h = BD_gated(y), where BD multiplies block b of
 * the input by its own matrix [out/B, in/B]. What block q of BD_wo reads comes from two halves of blocks of BD_gated:
 *
 *     m_q = gelu(G_q y_{q div 2}) * (G_{B+q} y_{B/2 + q div 2}),  G [2B, I/B, d/B] the halves of the gated blocks in order
 *
 * so it goes by q, and nothing wider than I/B is in memory.
 */
export class MonarchMlp {
  /** b, [d] */
  readonly bias: Value;
  private readonly parts: readonly { readonly gate: Value; readonly value: Value; readonly wo: Value }[];

  constructor(
    g: GraphBuilder,
    weights: ModelWeights,
    at: string,
    private readonly shape: MonarchMlpShape,
  ) {
    const { hidden: d, intermediate: I, blocks: B } = shape;
    const gated = g.op('Reshape', [
      weights.add(g, `${at}.gated_layers.weight`, [B, (2 * I) / B, d / B]),
      g.ints(2 * B, I / B, d / B),
    ]);
    const wo = weights.add(g, `${at}.wo.weight`, [B, d / B, I / B]);
    const matrix = (of: Value, i: number, out: number, input: number): Value =>
      g.op('Reshape', [g.op('Slice', [of, g.ints(i), g.ints(i + 1), g.ints(0)]), g.ints(out, input)]);
    this.parts = Array.from({ length: B }, (_, q) => ({
      gate: matrix(gated, q, I / B, d / B),
      value: matrix(gated, B + q, I / B, d / B),
      wo: matrix(wo, q, d / B, I / B),
    }));
    this.bias = weights.add(g, `${at}.wo.bias`, [d]);
  }

  /** MLP(y) - b, [rows, d] -> [rows, d]. */
  withoutBias(s: Scope, y: Value): Value {
    const B = this.shape.blocks;
    const product = (x: Value, matrix: Value): Value => s.op('Gemm', [x, matrix], { transB: 1 });
    const blocks = s.ops('Split', [y], B, { axis: 1, num_outputs: B }); // [rows, d/B] each
    const mixed = this.parts.map(({ gate, value, wo }, q) => {
      const from = Math.floor(q / 2);
      const gelu = s.contrib('Gelu', [product(blocks[from]!, gate)]);
      return product(s.op('Mul', [gelu, product(blocks[B / 2 + from]!, value)]), wo); // [rows, d/B]
    });
    return s.op('Concat', mixed, { axis: 1 });
  }
}
