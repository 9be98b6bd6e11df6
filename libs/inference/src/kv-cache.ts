import { float32, type Feeds } from './onnx-session.js';

/** Sizes of a cache. */
export interface CacheShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Added to the attention logit of a key that is not there: its probability is then exactly 0 in float32. */
const hidden = -1e30;

/**
 * Keys and values of B rows, each row a slot of fixed capacity: per layer two arrays [B, G, P, D]. A row knows its own
 * length; the mask hides what lies behind it. Rows of one batch may belong to different prompts or actions.
 *
 * The arrays are inputs of the graph and are read in place; new rows are written here after each run.
 */
export class KvCache {
  readonly keys: Float32Array[];
  readonly values: Float32Array[];
  /** Keys in use, per row. */
  readonly lengths: Int32Array;
  /** [B, P]: 0 for a key in use, a large negative number behind the row's length. */
  readonly mask: Float32Array;

  constructor(
    readonly shape: CacheShape,
    readonly rows: number,
    readonly capacity: number,
  ) {
    const size = rows * shape.kvHeads * capacity * shape.headDim;
    this.keys = Array.from({ length: shape.layers }, () => new Float32Array(size));
    this.values = Array.from({ length: shape.layers }, () => new Float32Array(size));
    this.lengths = new Int32Array(rows);
    this.mask = new Float32Array(rows * capacity).fill(hidden);
  }

  /** The cache as graph inputs. */
  feeds(): Feeds {
    const { layers, kvHeads, headDim } = this.shape;
    const dims = [this.rows, kvHeads, this.capacity, headDim];
    const feeds: Feeds = {};
    for (let layer = 0; layer < layers; layer++) {
      feeds[`past_key.${layer}`] = float32(this.keys[layer]!, dims);
      feeds[`past_value.${layer}`] = float32(this.values[layer]!, dims);
    }
    return feeds;
  }

  /** Appends new rows of one layer, each [B, G, count, D], behind every row's length; `advance` then counts them. */
  write(layer: number, keys: Float32Array, values: Float32Array, count: number): void {
    const { kvHeads, headDim } = this.shape;
    const block = count * headDim;
    for (let row = 0; row < this.rows; row++) {
      for (let head = 0; head < kvHeads; head++) {
        const from = (row * kvHeads + head) * block;
        const to = ((row * kvHeads + head) * this.capacity + this.lengths[row]!) * headDim;
        this.keys[layer]!.set(keys.subarray(from, from + block), to);
        this.values[layer]!.set(values.subarray(from, from + block), to);
      }
    }
  }

  /** Counts `count` keys more in every row, once all layers are written. */
  advance(count: number): void {
    for (let row = 0; row < this.rows; row++) {
      const start = row * this.capacity + this.lengths[row]!;
      this.mask.fill(0, start, start + count);
      this.lengths[row]! += count;
    }
  }

  /**
   * Copies the given positions of row 0 of `source` into a row of this cache.
   * @param positions per layer and KV head the kept positions, ascending: layers x [G][kept].
   */
  gather(row: number, source: KvCache, positions: readonly (readonly Int32Array[])[]): void {
    const { layers, kvHeads, headDim } = this.shape;
    for (let layer = 0; layer < layers; layer++) {
      for (let head = 0; head < kvHeads; head++) {
        const kept = positions[layer]![head]!;
        const from = head * source.capacity;
        const to = (row * kvHeads + head) * this.capacity;
        copyRows(source.keys[layer]!, from, this.keys[layer]!, to, kept, headDim);
        copyRows(source.values[layer]!, from, this.values[layer]!, to, kept, headDim);
      }
    }
    const kept = positions[0]![0]!.length;
    this.lengths[row] = kept;
    this.mask.fill(0, row * this.capacity, row * this.capacity + kept);
    this.mask.fill(hidden, row * this.capacity + kept, (row + 1) * this.capacity);
  }
}

/** Copies rows of D numbers; runs of neighbouring positions go in one piece. */
function copyRows(
  source: Float32Array,
  sourceRow: number,
  target: Float32Array,
  targetRow: number,
  positions: Int32Array,
  headDim: number,
): void {
  let start = 0;
  while (start < positions.length) {
    let end = start + 1;
    while (end < positions.length && positions[end - 1]! + 1 === positions[end]) end++;
    const first = (sourceRow + positions[start]!) * headDim;
    target.set(source.subarray(first, first + (end - start) * headDim), (targetRow + start) * headDim);
    start = end;
  }
}
