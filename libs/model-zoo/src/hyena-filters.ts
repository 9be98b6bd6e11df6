import { GraphBuilder, type Scope, type Sliced, type Value } from '@a2sf/onnx-graph';
import type { ModelWeights } from './model-weights.js';

export interface HyenaFilterShape {
  /** Channels, d. */
  readonly channels: number;
  /** Positions of the filters, M. */
  readonly positions: number;
  /** Numbers that describe a position, the width of z. */
  readonly embedding: number;
  /** Width of the sine layers. */
  readonly order: number;
  /** w_mod. */
  readonly modulation: number;
}

/** One long convolution: its name in the tables, and where its tensors stand. */
export interface HyenaFilter {
  readonly name: string;
  readonly at: string;
}

/** The nets of a filter: forward (kf) and reversed (kr). */
export const filterNets = ['implicit_filter', 'implicit_filter_rev'] as const;
export type FilterNet = (typeof filterNets)[number];

/** Names of the features of one filter's nets, in their order. */
export const featureNames = ({ name }: HyenaFilter): [string, string] => [
  `features.${name}.forward`,
  `features.${name}.reverse`,
];

/**
 * M2-BERT's implicit filters (arXiv 2310.12109, after Hyena, arXiv 2302.10866). Position m has features h_m, and a tap per channel:
 *
 *     h = sin(w_mod f (A0 z_m + a0)),  sin(w_mod f (A2 h + a2)),  sin(w_mod f (A4 h + a4))
 *     k_m = (A6 h_m) exp(-t_m |delta|)
 *
 * for a forward and a reversed net. z is trained and is read; t and delta are read when stored, else t_m = m / (M-1),
 * delta = linspace(ln(0.01) / 1.5, ln(0.01) / 0.3, d).
 *
 * Three nested sines amplify rounding, so the features are float64 and rounded once; they are `order` numbers a position
 * where the taps are d, and serve every length. The taps are one product of them.
 */
export class HyenaFilters {
  constructor(
    private readonly weights: ModelWeights,
    readonly shape: HyenaFilterShape,
  ) {}

  /** Features of the first rows positions of one net: [rows, order] float32. `rows` is at most M. */
  features(g: GraphBuilder, { at }: HyenaFilter, which: FilterNet, rows: number): Value {
    const { positions, embedding, order, modulation } = this.shape;
    const net = `${at}.${which}`;
    const read = (name: string, dims: readonly number[]): Value => g.cast(this.weights.add(g, name, dims), 'float64');
    const z = this.weights.add(g, `${at}.pos_emb.z`, [1, positions, embedding]);
    let h = g.cast(slice(g, g.op('Reshape', [z, g.ints(positions, embedding)]), 0, rows), 'float64');
    const factor = g.cast(g.scalar(modulation), 'float64');
    for (const [layer, width] of [
      [0, embedding],
      [2, order],
      [4, order],
    ] as const) {
      // One vector f, stored up to six times; a file may keep a single copy of it.
      const own = `${net}.${layer + 1}.freq`;
      const f = read(this.weights.has(own) ? own : `${at}.implicit_filter.1.freq`, [1, order]);
      const inputs = [h, read(`${net}.${layer}.weight`, [order, width]), read(`${net}.${layer}.bias`, [order])];
      const frequency = modulation === 1 ? f : g.op('Mul', [f, factor]);
      h = g.op('Sin', [g.op('Mul', [g.op('Gemm', inputs, { transB: 1 }), frequency])]);
    }
    return g.cast(h, 'float32');
  }

  /** The features as inputs of a graph, in the order of the nets. */
  featureInputs(g: GraphBuilder, filter: HyenaFilter): [Value, Value] {
    const input = (name: string): Value => g.input(name, 'float32', ['featureRows', this.shape.order]);
    const [forward, reverse] = featureNames(filter);
    return [input(forward), input(reverse)];
  }

  /** What the taps of one filter need besides its features. */
  taps(g: GraphBuilder, { at }: HyenaFilter): FilterTaps {
    const { channels: d, order, positions: M } = this.shape;
    const stored = (name: string, dims: readonly number[], formula: () => Float32Array): Value =>
      this.weights.has(name) ? this.weights.add(g, name, dims) : g.floats(formula(), dims);
    const t = stored(`${at}.pos_emb.t`, [1, M, 1], () => linspace(0, 1, M));
    const delta = stored(`${at}.modulation.deltas`, [1, 1, d], () => decayRates(d));
    const rate = g.op('Neg', [g.op('Abs', [g.op('Reshape', [delta, g.ints(1, d)])])]);
    const [forward, reverse] = filterNets.map((net) => this.weights.add(g, `${at}.${net}.6.weight`, [d, order])) as [
      Value,
      Value,
    ];
    const own = this.weights.add(g, `${at}.bias`, [d]);
    return new FilterTaps(g.op('Reshape', [t, g.ints(M, 1)]), rate, forward, reverse, own, this.shape);
  }
}

/** The taps of one filter as products of features. Nodes go to the scope given: the graph, or a branch of it. */
export class FilterTaps {
  constructor(
    private readonly t: Value, // [M, 1]
    private readonly rate: Value, // [1, d]
    private readonly forward: Value, // [d, order]
    private readonly reverse: Value, // [d, order]
    /** D, [d]. */
    readonly own: Value,
    private readonly shape: HyenaFilterShape,
  ) {}

  /** Features [rows, order] -> kr[0 .. rows-1], [rows, d]. */
  reverseTaps(g: Scope, features: Value, rows: Value): Value {
    return this.times(g, features, this.reverse, slice(g, this.t, 0, rows));
  }

  /** kf[0] + D, [1, d]; exp(-t_0 |delta|) is part of it. */
  firstTap(g: Scope, features: Value): Value {
    const first = this.times(g, slice(g, features, 0, 1), this.forward, slice(g, this.t, 0, 1));
    return g.op('Add', [first, this.own]);
  }

  /**
   * As one sequence of N = 2 capacity taps: K[m] = kf[m], K[N-1-j] = kr[j], and D part of K[0]. The lags of a text of
   * L <= capacity rows never reach what stands between them, so one sequence serves every length of its size class. Features
   * of more rows than capacity are cut, of fewer (all M) followed by zeros.
   * @param blocks [2]: n and R, n R = capacity.
   * @returns [n, 2R, d]: block i has K[i R .. i R + R - 1], then K[capacity + i R ..].
   */
  sequence(g: Scope, [forward, reverse]: readonly [Value, Value], capacity: Value, blocks: Value): Value {
    const { order, channels: d } = this.shape;
    const fit = (x: Value): Value => {
      const cut = slice(g, x, 0, capacity);
      const missing = g.op('Sub', [capacity, g.op('Shape', [cut], { start: 0, end: 1 })]);
      return g.op('Pad', [cut, g.op('Concat', [g.ints(0, 0), missing, g.ints(0)], { axis: 0 })]);
    };
    const backwards = (x: Value): Value => g.op('Slice', [x, g.ints(-1), g.ints(-(2 ** 31)), g.ints(0), g.ints(-1)]);
    const inBlocks = (x: Value, width: number): Value =>
      g.op('Reshape', [x, g.op('Concat', [blocks, g.ints(width)], { axis: 0 })]);
    const features = (x: Value): Sliced => ({ of: inBlocks(x, order), type: 'float32', dims: ['R', order] });
    const t = fit(this.t);
    const times = g.op('Concat', [inBlocks(t, 1), inBlocks(backwards(t), 1)], { axis: 1 });
    const given = [
      features(fit(forward)),
      features(backwards(fit(reverse))),
      { of: times, type: 'float32', dims: ['2R', 1] } as const,
    ];
    const [taps] = g.scan([], given, [{ type: 'float32', dims: ['2R', d] }], (s, _, [f, r, t]) => {
      const product = (features: Value, matrix: Value): Value => s.op('Gemm', [features, matrix], { transB: 1 });
      const both = s.op('Concat', [product(f!, this.forward), product(r!, this.reverse)], { axis: 0 });
      return { carried: [], values: [s.op('Mul', [both, this.decay(s, t!)])] };
    });
    const first = g.op('Reshape', [g.ints(0, 0), g.ints(1, 2)]);
    return g.op('ScatterND', [taps!, first, g.op('Reshape', [this.own, g.ints(1, d)])], { reduction: 'add' });
  }

  /** (A6 h) exp(-t |delta|) */
  private times(g: Scope, features: Value, matrix: Value, t: Value): Value {
    return g.op('Mul', [g.op('Gemm', [features, matrix], { transB: 1 }), this.decay(g, t)]);
  }

  /** exp(-t |delta|), t [rows, 1] -> [rows, d] */
  private decay(g: Scope, t: Value): Value {
    return g.op('Exp', [g.op('Mul', [t, this.rate])]);
  }
}

function slice(g: Scope, x: Value, from: number, to: number | Value): Value {
  return g.op('Slice', [x, g.ints(from), typeof to === 'number' ? g.ints(to) : to, g.ints(0)]);
}

/** count numbers from `from` to `to`, both included. */
function linspace(from: number, to: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (count === 1 ? from : from + ((to - from) * i) / (count - 1)));
}

/** Decay rates of the channels: from ln(0.01) / 1.5 (slow) to ln(0.01) / 0.3 (fast). */
function decayRates(channels: number): Float32Array {
  return linspace(Math.log(0.01) / 1.5, Math.log(0.01) / 0.3, channels);
}
