import type { Carried, GraphBuilder, Scope, Value } from '@a2sf/onnx-graph';
import type { ModelWeights } from './model-weights.js';
import type { BlockResult } from './row-blocks.js';

/** M2-BERT's projection of a layer's rows x to x1, x2 and v, for a scan over blocks of rows. */
export class GatedProjection {
  private readonly x2: ProjectedThird;
  private readonly ofBlocks: readonly ProjectedThird[];

  /**
   * @param at the attention's name in the weights.
   * @param firstOnly x2 is wanted for row 0 alone.
   */
  constructor(
    private readonly g: GraphBuilder,
    weights: ModelWeights,
    at: string,
    private readonly d: number,
    firstOnly: boolean,
  ) {
    const [x1, x2, v] = [0, 1, 2].map((third) => new ProjectedThird(g, weights, at, d, third)) as Thirds;
    this.x2 = x2;
    this.ofBlocks = firstOnly ? [x1, v] : [x1, v, x2];
  }

  /** What is carried to the first block. */
  get carried(): readonly Carried[] {
    return this.ofBlocks.map(() => this.zeros);
  }

  /** Channels of the rows that a block makes. */
  get channels(): readonly number[] {
    return this.ofBlocks.map(() => this.d);
  }

  /** A block's rows x [R, d] -> x and v x1, both times `own` [R, 1], and x2 if it is wanted of all rows. */
  block(s: Scope, x: Value, own: Value, before: readonly Value[]): BlockResult {
    const ownX = s.op('Mul', [x, own]);
    const thirds = this.ofBlocks.map((third, i) => third.of(s, ownX, before[i]!));
    const [x1, v, ...x2] = thirds.map(({ rows }) => rows);
    const gated = s.op('Mul', [s.op('Mul', [v!, x1!]), own]);
    return { carried: thirds.map(({ last }) => last), rows: [ownX, gated, ...x2] };
  }

  /** x2 of row 0, [1, d]. */
  first(x: Value): Value {
    const row = this.g.op('Slice', [x, this.g.ints(0), this.g.ints(1), this.g.ints(0)]);
    return this.x2.of(this.g, row, this.zeros.first).rows;
  }

  private get zeros(): Carried {
    return { first: this.g.op('ConstantOfShape', [this.g.ints(2, this.d)]), type: 'float32', dims: [2, this.d] };
  }
}

type Thirds = [ProjectedThird, ProjectedThird, ProjectedThird];

/**
 * p = x W' + b, and over its rows a causal convolution of three taps per channel,
 *
 *     s_i = w[2] p_i + w[1] p_{i-1} + w[0] p_{i-2} + c,  p_{-1} = p_{-2} = 0
 *
 * as shifted copies, which is quicker than a grouped convolution.
 */
class ProjectedThird {
  private readonly weight: Value; // [d, d]
  private readonly bias: Value; // [d]
  private readonly taps: readonly Value[]; // three times [d]
  private readonly shift: Value; // [d]

  constructor(g: GraphBuilder, weights: ModelWeights, at: string, d: number, third: number) {
    const rows = (x: Value): Value => g.op('Slice', [x, g.ints(third * d), g.ints((third + 1) * d), g.ints(0)]);
    this.weight = rows(weights.add(g, `${at}.in_linear.weight`, [3 * d, d]));
    this.bias = rows(weights.add(g, `${at}.in_linear.bias`, [3 * d]));
    const taps = rows(weights.add(g, `${at}.short_filter.weight`, [3 * d, 1, 3]));
    this.taps = [0, 1, 2].map((t) =>
      g.op('Reshape', [g.op('Slice', [taps, g.ints(t), g.ints(t + 1), g.ints(2)]), g.ints(d)]),
    );
    this.shift = rows(weights.add(g, `${at}.short_filter.bias`, [3 * d]));
  }

  /** Rows x [R, d] after the two rows of p before them -> s [R, d], and the last two rows of p. */
  of(s: Scope, x: Value, before: Value): { readonly rows: Value; readonly last: Value } {
    const p = s.op('Gemm', [x, this.weight, this.bias], { transB: 1 });
    const joined = s.op('Concat', [before, p], { axis: 0 });
    const cut = (from: number, to: number): Value => s.op('Slice', [joined, s.ints(from), s.ints(to), s.ints(0)]);
    const terms = [cut(0, -2), cut(1, -1), p].map((shifted, t) => s.op('Mul', [shifted, this.taps[t]!]));
    const sum = s.op('Add', [s.op('Add', [terms[2]!, terms[1]!]), terms[0]!]);
    return { rows: s.op('Add', [sum, this.shift]), last: cut(-2, 2 ** 31) };
  }
}
