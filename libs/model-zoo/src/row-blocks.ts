import type { Carried, GraphBuilder, Sliced, Subgraph, Value } from '@a2sf/onnx-graph';

/** Most rows of a block: 1.5 MB of 768 channels, some of which fit into the caches of the cores. */
const mostRows = 512;

/** What a block gives on to the next, and the rows it makes. */
export interface BlockResult {
  readonly carried: readonly Value[];
  readonly rows: readonly Value[];
}

/**
 * The rows of a text in n = ceil(L / 512) blocks of R = ceil(L / n) rows each, one after the other: what stands between two
 * products of a block is no larger than the block and stays in the processor's caches. Rows that depend on earlier ones
 * get them carried from block to block. All in all n R rows: fewer than n follow the text's own.
 */
export class RowBlocks {
  /** Of each block, [R, 1]: 1 for a row of the text, 0 for one behind it. */
  readonly ownRows: Sliced;
  private readonly rows: Value; // [1]: n R
  private readonly shape: Value; // [2]: n, R

  constructor(
    private readonly g: GraphBuilder,
    private readonly length: Value, // [1]: L
  ) {
    const ceil = (x: Value, y: Value): Value => g.op('Div', [g.op('Sub', [g.op('Add', [x, y]), g.ints(1)]), y]);
    const blocks = ceil(length, g.ints(mostRows));
    const size = ceil(length, blocks);
    this.rows = g.op('Mul', [blocks, size]);
    this.shape = g.op('Concat', [blocks, size], { axis: 0 });
    const row = g.op('Range', [g.int(0), g.op('Squeeze', [this.rows]), g.int(1)]);
    this.ownRows = this.sliced(g.cast(g.op('Less', [row, length]), 'float32'), 1);
  }

  /** Rows [any number, channels], cut or followed by zeros to n R, for `run`. */
  of(x: Value, channels: number): Sliced {
    const { g } = this;
    const missing = g.op('Sub', [this.rows, g.op('Shape', [x], { start: 0, end: 1 })]);
    return this.sliced(g.op('Pad', [x, g.op('Concat', [g.ints(0, 0), missing, g.ints(0)], { axis: 0 })]), channels);
  }

  /** Rows that `run` made. */
  again(x: Value, channels: number): Sliced {
    return this.sliced(x, channels);
  }

  /** Numbers [L], followed by zeros. */
  ofInts(x: Value): Sliced {
    const { g } = this;
    const missing = g.op('Sub', [this.rows, this.length]);
    const fitting = g.op('Pad', [x, g.op('Concat', [g.ints(0), missing], { axis: 0 })]);
    return { of: g.op('Reshape', [fitting, this.shape]), type: 'int64', dims: ['R'] };
  }

  /** The text's own rows of those that `run` made. */
  own(x: Value): Value {
    return this.g.op('Slice', [x, this.g.ints(0), this.length, this.g.ints(0)]);
  }

  /**
   * Block by block.
   * @param made channels of the rows that a block makes.
   * @returns them, [n R, channels] each.
   */
  run(
    carried: readonly Carried[],
    given: readonly Sliced[],
    made: readonly number[],
    body: (g: Subgraph, carried: readonly Value[], given: readonly Value[]) => BlockResult,
  ): Value[] {
    const { g } = this;
    const stacked = made.map((channels) => ({ type: 'float32', dims: ['R', channels] }) as const);
    const results = g.scan(carried, given, stacked, (s, before, block) => {
      const { carried: next, rows } = body(s, before, block);
      return { carried: next, values: rows };
    });
    return results.slice(carried.length).map((x, i) => g.op('Reshape', [x, g.ints(-1, made[i]!)]));
  }

  private sliced(x: Value, channels: number): Sliced {
    const { g } = this;
    const of = g.op('Reshape', [x, g.op('Concat', [this.shape, g.ints(channels)], { axis: 0 })]);
    return { of, type: 'float32', dims: ['R', channels] };
  }
}
