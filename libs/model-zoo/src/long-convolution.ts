import type { GraphBuilder, Value } from '@a2sf/onnx-graph';
import type { BlockFourier } from './block-fourier.js';

/** Names of the tables of one long convolution, made by the filter graph and read by the encoder's. */
export const spectrumNames = (convolution: string): [string, string] => [
  `spectrum.${convolution}.real`,
  `spectrum.${convolution}.imaginary`,
];
export const firstRowTapsName = (convolution: string): string => `first_row_taps.${convolution}`;

/**
 * Long convolutions of M2-BERT inside one graph, per channel over a sequence of L rows u_0 .. u_{L-1}:
 *
 *     c_i = sum_{j<=i} kf[i-j] u_j + sum_{j>i} kr[j-i-1] u_j + D u_i
 *
 * as a product of spectra. Zeros behind the sequence are part of the transform, not of the text: the result is that of
 * the unpadded sequence.
 */
export class LongConvolutions {
  private readonly padding: Value; // [4]: begin and end of rows and channels

  constructor(
    private readonly g: GraphBuilder,
    private readonly fourier: BlockFourier,
    private readonly length: Value, // [1]
    private readonly channels: number,
  ) {
    const missing = g.op('Sub', [fourier.signalRows(), length]);
    this.padding = g.op('Concat', [g.ints(0, 0), missing, g.ints(0)], { axis: 0 });
  }

  /** All rows: u [L, d] -> c [L, d]. */
  all(u: Value, convolution: string): Value {
    const { g, channels } = this;
    const [kr, ki] = spectrumNames(convolution).map((name) =>
      g.input(name, 'float32', ['fourierH', 'fourierS', channels]),
    ) as [Value, Value];
    const [re, im] = this.fourier.transform(g.op('Pad', [u, this.padding]), channels);
    const product: [Value, Value] = [
      g.op('Sub', [g.op('Mul', [re, kr]), g.op('Mul', [im, ki])]),
      g.op('Add', [g.op('Mul', [re, ki]), g.op('Mul', [im, kr])]),
    ];
    return this.firstRows(this.fourier.inverse(product, channels));
  }

  /** Row 0 alone: c_0 = (kf[0] + D) u_0 + sum_{j>=1} kr[j-1] u_j, u [L, d] -> [1, d]. */
  first(u: Value, convolution: string): Value {
    const { g } = this;
    const taps = g.input(firstRowTapsName(convolution), 'float32', ['capacity', this.channels]);
    return g.op('ReduceSum', [g.op('Mul', [u, this.firstRows(taps)]), g.ints(0)], { keepdims: 1 });
  }

  private firstRows(x: Value): Value {
    const { g } = this;
    return g.op('Slice', [x, g.ints(0), this.length, g.ints(0)]);
  }
}
