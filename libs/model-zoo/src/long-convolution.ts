import type { GraphBuilder, Value } from '@a2sf/onnx-graph';
import type { BlockFourier } from './fourier-graph.js';
import type { HyenaFilter, HyenaFilters } from './hyena-filters.js';

/** Names of the spectrum of one long convolution among the tables. */
export const spectrumNames = ({ name }: HyenaFilter): [string, string] => [
  `spectrum.${name}.real`,
  `spectrum.${name}.imaginary`,
];
/** [1] int64: 1 when the spectrum is given, 0 when it is made of the features in the run. */
export const spectrumGivenName = ({ name }: HyenaFilter): string => `spectrum.${name}.given`;

/**
 * Long convolutions of M2-BERT inside one graph, per channel over a sequence of L rows u_0 .. u_{L-1}:
 *
 *     c_i = sum_{j<=i} kf[i-j] u_j + sum_{j>i} kr[j-i-1] u_j + D u_i
 *
 * as a product of spectra. Zeros behind the sequence are part of the transform, not of the text: the result is that of
 * the unpadded sequence. The filter's spectrum is a table; or, where that would take too much memory, it is made of the
 * filter's features when it is needed, a part at a time.
 */
export class LongConvolutions {
  constructor(
    private readonly g: GraphBuilder,
    private readonly fourier: BlockFourier,
    private readonly filters: HyenaFilters,
    private readonly length: Value, // [1]
  ) {}

  /** u [any number, d], zero from row L on -> c [N/2, d], of which the first L rows are right. */
  all(u: Value, filter: HyenaFilter): Value {
    const { g, fourier } = this;
    const d = this.filters.shape.channels;
    const [real, imaginary] = spectrumNames(filter).map((name) =>
      g.input(name, 'float32', [`${name}.G`, `${name}.Hr`, `${name}.r`, d]),
    ) as [Value, Value];
    const given = g.cast(g.input(spectrumGivenName(filter), 'int64', [1]), 'bool');
    const features = this.filters.featureInputs(g, filter);
    const taps = this.filters.taps(g, filter);
    const missing = g.op('Sub', [fourier.capacity, g.op('Shape', [u], { start: 0, end: 1 })]);
    const fitting = g.op('Pad', [u, g.op('Concat', [g.ints(0, 0), missing, g.ints(0)], { axis: 0 })]);
    const signal = fourier.signal(fitting);
    const dims = ['G', 'H', '2r', 'r channels'];
    const [c] = g.branch(
      given,
      1,
      (then) => then.result(fourier.convolve(then, signal, [real, imaginary]), 'float32', dims),
      (otherwise) => {
        const sequence = taps.sequence(otherwise, features, fourier.capacity, fourier.filterBlocks);
        const made = fourier.convolve(otherwise, signal, fourier.filterStage(otherwise, sequence));
        otherwise.result(made, 'float32', dims);
      },
    );
    return fourier.last(c!);
  }

  /** Row 0 alone: c_0 = (kf[0] + D) u_0 + sum_{j>=1} kr[j-1] u_j, u [L, d] -> [1, d]; always from the features. */
  first(u: Value, filter: HyenaFilter): Value {
    const { g } = this;
    const [forward, reverse] = this.filters.featureInputs(g, filter);
    const taps = this.filters.taps(g, filter);
    const others = g.op('Sub', [this.length, g.ints(1)]);
    const kr = taps.reverseTaps(g, this.slice(reverse, g.ints(0), others), others); // [L - 1, d]
    const later = g.op('Mul', [this.slice(u, g.ints(1), this.length), kr]);
    const own = g.op('Mul', [this.slice(u, g.ints(0), g.ints(1)), taps.firstTap(g, forward)]);
    return g.op('Add', [own, g.op('ReduceSum', [later, g.ints(0)], { keepdims: 1 })]);
  }

  private slice(x: Value, from: Value, to: Value): Value {
    return this.g.op('Slice', [x, from, to, this.g.ints(0)]);
  }
}
