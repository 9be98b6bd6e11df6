import { elementTypes, GraphBuilder, type Value } from '@a2sf/onnx-graph';
import { BlockFourier } from './block-fourier.js';
import { firstRowTapsName, spectrumNames } from './long-convolution.js';
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

/** One long convolution whose filters are wanted. */
export interface HyenaFilter {
  /** Name in the tables. */
  readonly name: string;
  /** Where its tensors stand. */
  readonly at: string;
  /** Its spectrum, for all rows of the result; or the taps of row 0 alone. */
  readonly result: 'spectrum' | 'first-row-taps';
}

/**
 * The graph that evaluates M2-BERT's implicit filters and turns them into tables of the encoder's graph.
 *
 *     h = sin(w_mod f (A0 z_m + a0)),  sin(w_mod f (A2 h + a2)),  sin(w_mod f (A4 h + a4))
 *     k_m = (A6 h) exp(-t_m |delta|)
 *
 * for a forward (kf) and a reversed net (kr). z is trained and is read; t and delta are read when stored, else
 * t_m = m / (M-1), delta = linspace(ln(0.01) / 1.5, ln(0.01) / 0.3, d). Three nested sines amplify rounding, so all of
 * this is float64; the result is rounded once.
 *
 * As one sequence of N = 2 capacity taps: K[0] = kf[0] + D, K[m] = kf[m], K[N-1-j] = kr[j]; the lags of a text of
 * L <= capacity rows never reach what stands between them, so one spectrum serves every length of its size class.
 *
 * | input | shape | |
 * | --- | --- | --- |
 * | filter_rows | [1] int64 | min(capacity, M), rows to evaluate |
 * | filter_padding | [4] int64 | 0, 0, capacity - filter_rows, 0 |
 * | fourier.* | | see block-fourier.ts, for filters |
 *
 * | output | shape | |
 * | --- | --- | --- |
 * | spectrum.NAME.real, .imaginary | [H, s, d] | times the inverse transform's weights |
 * | first_row_taps.NAME | [capacity, d] | kf[0] + D, kr[0], kr[1], ... |
 * | forward.NAME, reverse.NAME | [filter_rows, d] | the filters themselves |
 */
export function buildFilterGraph(
  weights: ModelWeights,
  shape: HyenaFilterShape,
  filters: readonly HyenaFilter[],
): Uint8Array {
  const { channels: d, positions: M, embedding, order, modulation } = shape;
  const g = new GraphBuilder();
  const rows = g.input('filter_rows', 'int64', [1]);
  const padding = g.input('filter_padding', 'int64', [4]);
  const inverse = g.input('fourier.weights', 'float32', ['fourierH', 1, 1]);
  const fourier = new BlockFourier(g);
  const double = (value: Value): Value => g.op('Cast', [value], { to: elementTypes.float64 });
  const single = (value: Value): Value => g.op('Cast', [value], { to: elementTypes.float32 });
  const read = (name: string, dims: readonly number[]): Value => double(weights.add(g, name, dims));
  const slice = (x: Value, from: Value, to: Value): Value => g.op('Slice', [x, from, to, g.ints(0)]);
  const perPosition = (x: Value, width: number): Value =>
    slice(g.op('Reshape', [x, g.ints(M, width)]), g.ints(0), rows); // [rows, width]
  const stored = (name: string, dims: readonly number[], formula: () => Float32Array): Value =>
    weights.has(name) ? read(name, dims) : double(g.floats(formula(), dims));
  const factor = double(g.scalar(modulation));

  for (const { name, at, result } of filters) {
    const z = perPosition(read(`${at}.pos_emb.z`, [1, M, embedding]), embedding);
    const t = perPosition(
      stored(`${at}.pos_emb.t`, [1, M, 1], () => linspace(0, 1, M)),
      1,
    );
    const delta = stored(`${at}.modulation.deltas`, [1, 1, d], () => decayRates(d));
    const rate = g.op('Neg', [g.op('Abs', [g.op('Reshape', [delta, g.ints(1, d)])])]);
    const decay = g.op('Exp', [g.op('Mul', [t, rate])]); // [rows, d]

    // One vector f, stored up to six times; a file may keep a single copy of it.
    const frequency = (net: string, layer: number): Value => {
      const own = `${net}.${layer + 1}.freq`;
      const value = read(weights.has(own) ? own : `${at}.implicit_filter.1.freq`, [1, order]);
      return modulation === 1 ? value : g.op('Mul', [value, factor]);
    };
    const evaluate = (net: string): Value => {
      let h = z;
      for (const [layer, width] of [
        [0, embedding],
        [2, order],
        [4, order],
      ] as const) {
        const inputs = [h, read(`${net}.${layer}.weight`, [order, width]), read(`${net}.${layer}.bias`, [order])];
        h = g.op('Sin', [g.op('Mul', [g.op('Gemm', inputs, { transB: 1 }), frequency(net, layer)])]);
      }
      return g.op('Mul', [g.op('Gemm', [h, read(`${net}.6.weight`, [d, order])], { transB: 1 }), decay]);
    };
    const forward = evaluate(`${at}.implicit_filter`);
    const reverse = evaluate(`${at}.implicit_filter_rev`);
    g.output(`forward.${name}`, single(forward), 'float32', ['rows', d]);
    g.output(`reverse.${name}`, single(reverse), 'float32', ['rows', d]);

    const kf = g.op('Pad', [forward, padding]); // [capacity, d]
    const kr = g.op('Pad', [reverse, padding]);
    const own = g.op('Add', [
      slice(kf, g.ints(0), g.ints(1)),
      g.op('Reshape', [read(`${at}.bias`, [d]), g.ints(1, d)]),
    ]);
    if (result === 'first-row-taps') {
      const taps = g.op('Concat', [own, slice(kr, g.ints(0), g.ints(-1))], { axis: 0 });
      g.output(firstRowTapsName(name), single(taps), 'float32', ['capacity', d]);
      continue;
    }
    const reversed = g.op('Slice', [kr, g.ints(-1), g.ints(-(2 ** 31)), g.ints(0), g.ints(-1)]);
    const taps = g.op('Concat', [own, slice(kf, g.ints(1), g.ints(2 ** 31 - 1)), reversed], { axis: 0 }); // [N, d]
    const spectrum = fourier.transform(single(taps), d);
    spectrumNames(name).forEach((output, part) =>
      g.output(output, g.op('Mul', [spectrum[part]!, inverse]), 'float32', ['fourierH', 'fourierS', d]),
    );
  }
  return g.serialize();
}

/** count numbers from `from` to `to`, both included. */
function linspace(from: number, to: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (count === 1 ? from : from + ((to - from) * i) / (count - 1)));
}

/** Decay rates of the channels: from ln(0.01) / 1.5 (slow) to ln(0.01) / 0.3 (fast). */
function decayRates(channels: number): Float32Array {
  return linspace(Math.log(0.01) / 1.5, Math.log(0.01) / 0.3, channels);
}
