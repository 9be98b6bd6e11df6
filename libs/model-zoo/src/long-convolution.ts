import type { GraphBuilder, Scope, Value } from '@a2sf/onnx-graph';
import type { BlockFourier } from './block-fourier.js';
import type { HyenaFilter, HyenaFilters } from './hyena-filters.js';

/** Names of the spectrum of one long convolution among the tables. */
export const spectrumNames = ({ name }: HyenaFilter): [string, string] => [
  `spectrum.${name}.real`,
  `spectrum.${name}.imaginary`,
];
/** [1] int64: 1 when the spectra are given, 0 when they are made of the features in every run. */
export const spectraGivenName = 'spectra_given';

/**
 * Long convolutions of M2-BERT inside one graph, per channel over a sequence of L rows u_0 .. u_{L-1}:
 *
 *     c_i = sum_{j<=i} kf[i-j] u_j + sum_{j>i} kr[j-i-1] u_j + D u_i
 *
 * as a product of spectra. Zeros behind the sequence are part of the transform, not of the text: the result is that of
 * the unpadded sequence. The filter's spectrum is a table; or, where all spectra together would take too much memory, it
 * is made of the filter's features when it is needed and freed after its use.
 */
export class LongConvolutions {
  private readonly padding: Value; // [4]: begin and end of rows and channels
  private readonly given: Value;

  constructor(
    private readonly g: GraphBuilder,
    private readonly fourier: BlockFourier,
    private readonly filters: HyenaFilters,
    private readonly length: Value, // [1]
  ) {
    const missing = g.op('Sub', [fourier.capacity, length]);
    this.padding = g.op('Concat', [g.ints(0, 0), missing, g.ints(0)], { axis: 0 });
    this.given = g.cast(g.input(spectraGivenName, 'int64', [1]), 'bool');
  }

  /** All rows: u [L, d] -> c [L, d]. */
  all(u: Value, filter: HyenaFilter): Value {
    const { g, fourier } = this;
    const d = this.filters.shape.channels;
    const [real, imaginary] = spectrumNames(filter).map((name) =>
      g.input(name, 'float32', [`${name}.Hr`, `${name}.r`, d]),
    ) as [Value, Value];
    const features = this.filters.featureInputs(g, filter);
    const taps = this.filters.taps(g, filter);
    const signal = fourier.transform(g.op('Pad', [u, this.padding]), d);
    const times = (scope: Scope, spectrum: readonly [Value, Value]): [Value, Value] => product(scope, signal, spectrum);
    const results = g.branch(
      this.given,
      2,
      (then) => times(then, [real, imaginary]).forEach((part) => then.result(part, 'float32', ['Hr', 'r', d])),
      (otherwise) => {
        const sequence = taps.sequence(otherwise, features, fourier.capacity);
        const spectrum = fourier.transformFilter(otherwise, sequence, d);
        times(otherwise, spectrum).forEach((part) => otherwise.result(part, 'float32', ['Hr', 'r', d]));
      },
    );
    const c = this.firstRows(fourier.inverse([results[0]!, results[1]!], d));
    return g.op('Add', [c, g.op('Mul', [u, taps.own])]);
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

  private firstRows(x: Value): Value {
    return this.slice(x, this.g.ints(0), this.length);
  }

  private slice(x: Value, from: Value, to: Value): Value {
    return this.g.op('Slice', [x, from, to, this.g.ints(0)]);
  }
}

/** The product of two spectra, as real and imaginary part. */
function product(g: Scope, [re, im]: readonly [Value, Value], [kr, ki]: readonly [Value, Value]): [Value, Value] {
  return [
    g.op('Sub', [g.op('Mul', [re, kr]), g.op('Mul', [im, ki])]),
    g.op('Add', [g.op('Mul', [re, ki]), g.op('Mul', [im, kr])]),
  ];
}
