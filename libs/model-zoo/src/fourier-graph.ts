import type { GraphBuilder, Scope, Sliced, Value } from '@a2sf/onnx-graph';

/** A spectrum, real and imaginary part, each [G, (H/G) r, r, channels]. */
export type Spectrum = readonly [Value, Value];

/**
 * Convolutions by the transform of block-fourier.ts, inside one graph. The first stage takes all rows at once and leaves
 * [G, H/G, 2r, r channels]; from there to the inverse's last stage the groups of rows k1 go one after the other, each through
 * both transforms, the product and most of the inverse. `g` is where nodes go: the graph, or a branch of it.
 */
export class BlockFourier {
  /** [1]: N/2, rows of a signal. */
  readonly capacity: Value;
  /** [2]: the blocks that a filter is made in, and the rows of one way in each: see filterMatrix. */
  readonly filterBlocks: Value;
  private readonly outer: Value;
  private readonly filter: Value;
  private readonly middle: Value;
  private readonly real: Value;
  private readonly imaginary: Value;
  private readonly outerRows: Value; // [1]: 2H
  private readonly middleRows: Value; // [3]: G, H/G, 2r
  private readonly innerRows: Value; // [2]: (H/G) r, 2r

  constructor(
    private readonly g: GraphBuilder,
    private readonly channels: number,
  ) {
    const inner = ['fourierG', 'fourierHr', 'fourierR', 'fourier2R'];
    this.outer = g.input('fourier.outer', 'float32', ['fourier2H', 'fourierM']);
    this.filter = g.input('fourier.filter', 'float32', ['fourier2H', 'fourierBlocks', 'fourier2Count']);
    this.middle = g.input('fourier.middle', 'float32', ['fourierG', 'fourierH', 'fourier2R', 'fourier2R']);
    this.real = g.input('fourier.real', 'float32', inner);
    this.imaginary = g.input('fourier.imaginary', 'float32', inner);
    const sizes = (x: Value, start: number, end: number): Value => g.op('Shape', [x], { start, end });
    const radix = sizes(this.real, 2, 3);
    const squared = g.op('Mul', [radix, radix]);
    this.outerRows = sizes(this.outer, 0, 1);
    this.middleRows = sizes(this.middle, 0, 3);
    this.innerRows = g.op('Concat', [sizes(this.real, 1, 2), sizes(this.real, 3, 4)], { axis: 0 });
    this.capacity = g.op('Mul', [sizes(this.outer, 1, 2), squared]);
    const count = g.op('Div', [sizes(this.filter, 2, 3), g.ints(2)]);
    this.filterBlocks = g.op('Concat', [sizes(this.filter, 1, 2), g.op('Mul', [count, squared])], { axis: 0 });
  }

  /** First stage of a signal [capacity, channels]. */
  signal(x: Value): Value {
    return this.firstStage(this.g, this.outer, x);
  }

  /** First stage of a filter [blocks, 2 rows, channels], times the inverse's weights. */
  filterStage(g: Scope, x: Value): Value {
    return this.firstStage(g, g.op('Flatten', [this.filter], { axis: 1 }), x);
  }

  /** The rest of a filter's transform. */
  spectrum(g: Scope, filter: Value): Spectrum {
    const part = { type: 'float32', dims: ['Hr', 'r', this.channels] } as const;
    const parts = g.scan(
      [],
      [...this.matrices(), stage(filter)],
      [part, part],
      (s, _, [middle, real, imaginary, y]) => ({
        carried: [],
        values: this.laterStages(s, [middle!, real!, imaginary!], y!),
      }),
    );
    return [parts[0]!, parts[1]!];
  }

  /** Signal and filter after their first stage, or the filter's spectrum -> their convolution before the inverse's last. */
  convolve(g: Scope, signal: Value, filter: Value | Spectrum): Value {
    const part = { type: 'float32', dims: ['Hr', 'r', this.channels] } as const;
    const given = typeof filter === 'string' ? [stage(filter)] : filter.map((of) => ({ of, ...part }));
    const { type, dims } = stage(signal);
    return g.scan([], [...this.matrices(), stage(signal), ...given], [{ type, dims }], (s, _, slices) => {
      const [middle, real, imaginary, y, first, second] = slices as [Value, Value, Value, Value, Value, Value?];
      const matrices = [middle, real, imaginary] as const;
      const spectrum: Spectrum = second === undefined ? this.laterStages(s, matrices, first) : [first, second];
      const [re, im] = product(s, this.laterStages(s, matrices, y), spectrum);
      // The conjugate transform of each stage is its transpose: X = M Y forward, Y = M' X back.
      const back = (matrix: Value, x: Value): Value => s.contrib('FusedMatMul', [matrix, x], { transA: 1 });
      const z = s.op('Add', [back(real, re), back(imaginary, im)]);
      return { carried: [], values: [back(middle, s.op('Reshape', [z, s.op('Shape', [y])]))] };
    })[0]!;
  }

  /** The first N/2 rows of the convolution, [capacity, channels]: the inverse's last stage. */
  last(x: Value): Value {
    const { g } = this;
    const y = g.op('Reshape', [x, shape(g, this.outerRows, -1)]);
    const rows = g.contrib('FusedMatMul', [this.outer, y], { transA: 1 });
    return g.op('Reshape', [rows, g.ints(-1, this.channels)]);
  }

  private firstStage(g: Scope, outer: Value, x: Value): Value {
    const columns = g.op('Shape', [outer], { start: 1, end: 2 });
    const y = g.op('MatMul', [outer, g.op('Reshape', [x, shape(g, columns, -1)])]); // [2H, r r channels]
    return g.op('Reshape', [y, shape(g, this.middleRows, -1)]);
  }

  /** The second and the third stage of one group. */
  private laterStages(s: Scope, [middle, real, imaginary]: readonly [Value, Value, Value], y: Value): Spectrum {
    const z = s.op('MatMul', [middle, y]); // [H/G, 2r, r channels]
    const rows = s.op('Reshape', [z, shape(s, this.innerRows, this.channels)]); // [(H/G) r, 2r, channels]
    return [s.op('MatMul', [real, rows]), s.op('MatMul', [imaginary, rows])];
  }

  private matrices(): Sliced[] {
    const inner = (of: Value): Sliced => ({ of, type: 'float32', dims: ['Hr', 'r', '2r'] });
    return [{ of: this.middle, type: 'float32', dims: ['H', '2r', '2r'] }, inner(this.real), inner(this.imaginary)];
  }
}

/** What stands between the first stage and the second, or between these of the inverse. */
const stage = (of: Value): Sliced => ({ of, type: 'float32', dims: ['H', '2r', 'r channels'] });

/** The product of two spectra. */
function product(g: Scope, [re, im]: Spectrum, [kr, ki]: Spectrum): Spectrum {
  return [
    g.op('Sub', [g.op('Mul', [re, kr]), g.op('Mul', [im, ki])]),
    g.op('Add', [g.op('Mul', [re, ki]), g.op('Mul', [im, kr])]),
  ];
}

function shape(g: Scope, leading: Value, last: number): Value {
  return g.op('Concat', [leading, g.ints(last)], { axis: 0 });
}
