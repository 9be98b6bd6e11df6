import { float32, type Feeds } from './onnx-session.js';

/** Sizes of a cache. */
export interface CacheShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Kept positions, ascending: layers x [G] x kept. */
export type KeptPositions = readonly (readonly Int32Array[])[];

/** Added to the attention logit of a key that is not there: its probability is then exactly 0 in float32. */
const hidden = -1e30;

/** Bytes of keys and values of one row with this many keys. */
export function cacheBytes({ layers, kvHeads, headDim }: CacheShape, keys: number): number {
  return 2 * layers * kvHeads * headDim * keys * Float32Array.BYTES_PER_ELEMENT;
}

/**
 * Keys and values of up to `rows` rows, each row a slot of fixed capacity: per layer two arrays [rows, G, P, D]. A row knows
 * its own length; the mask hides what lies behind it. Rows of one batch may belong to different prompts or actions.
 *
 * The arrays are inputs of the graph and are read in place; new rows are written here after each run.
 */
export class KvCache {
  readonly keys: Float32Array[];
  readonly values: Float32Array[];
  /** Keys in use, per row. */
  readonly lengths: Int32Array;
  /** [rows, P]: 0 for a key in use, a large negative number behind the row's length. */
  readonly mask: Float32Array;
  /** Memory of the causal mask: one of its own for every chunk of every prompt would be most of a short prompt's garbage. */
  private causal = new Float32Array(0);

  /** @param memory a cache that is no longer used and whose arrays are large enough: this one takes them over. */
  constructor(
    readonly shape: CacheShape,
    readonly rows: number,
    readonly capacity: number,
    memory?: KvCache,
  ) {
    const size = rows * this.rowSize;
    const arrays = (): Float32Array[] => Array.from({ length: shape.layers }, () => new Float32Array(size));
    this.keys = memory?.keys ?? arrays();
    this.values = memory?.values ?? arrays();
    this.lengths = new Int32Array(rows);
    this.mask = new Float32Array(rows * capacity).fill(hidden);
  }

  /** Numbers of one row and layer: G * P * D. */
  private get rowSize(): number {
    return this.shape.kvHeads * this.capacity * this.shape.headDim;
  }

  /** Bytes that the arrays of keys and values take. */
  get bytes(): number {
    return 2 * this.shape.layers * this.keys[0]!.byteLength;
  }

  /** The first rows of the cache as graph inputs. */
  feeds(rows = this.rows): Feeds {
    const { layers, kvHeads, headDim } = this.shape;
    const dims = [rows, kvHeads, this.capacity, headDim];
    const size = rows * this.rowSize;
    const feeds: Feeds = {};
    for (let layer = 0; layer < layers; layer++) {
      feeds[`past_key.${layer}`] = float32(this.keys[layer]!.subarray(0, size), dims);
      feeds[`past_value.${layer}`] = float32(this.values[layer]!.subarray(0, size), dims);
    }
    return feeds;
  }

  /** [S, T], T = start + S: query i sees the keys up to its own position start + i. Holds until the next call. */
  causalMask(start: number, queries: number): Float32Array {
    const total = start + queries;
    const size = queries * total;
    if (this.causal.length < size) this.causal = new Float32Array(queries * Math.max(total, this.capacity));
    const mask = this.causal.subarray(0, size);
    for (let i = 0; i < queries; i++) {
      const seen = i * total + start + i + 1;
      mask.fill(0, i * total, seen);
      mask.fill(hidden, seen, (i + 1) * total);
    }
    return mask;
  }

  /** Writes new keys of one layer behind the length of each row, arrays [B, G, count, D] for the first B rows; `advance` then counts them. */
  write(layer: number, keys: Float32Array, values: Float32Array, count: number): void {
    const { kvHeads, headDim } = this.shape;
    const block = count * headDim;
    const rows = keys.length / (kvHeads * block);
    for (let row = 0; row < rows; row++) {
      for (let head = 0; head < kvHeads; head++) {
        const from = (row * kvHeads + head) * block;
        const to = ((row * kvHeads + head) * this.capacity + this.lengths[row]!) * headDim;
        this.keys[layer]!.set(keys.subarray(from, from + block), to);
        this.values[layer]!.set(values.subarray(from, from + block), to);
      }
    }
  }

  /** Counts `count` keys more in each of the first rows, once all layers are written. */
  advance(count: number, rows = this.rows): void {
    for (let row = 0; row < rows; row++) {
      const start = row * this.capacity + this.lengths[row]!;
      this.mask.fill(0, start, start + count);
      this.lengths[row]! += count;
    }
  }

  /** Forgets all rows; the memory stays. */
  clear(): void {
    this.lengths.fill(0);
    this.mask.fill(hidden);
  }

  /**
   * Copies the given positions of a row of `source` into a row of this cache.
   * @param positions what is kept; absent = all keys of the source's row.
   */
  gather(row: number, source: KvCache, positions?: KeptPositions, sourceRow = 0): void {
    const { layers, kvHeads, headDim } = this.shape;
    for (let layer = 0; layer < layers; layer++) {
      for (let head = 0; head < kvHeads; head++) {
        const from = (sourceRow * kvHeads + head) * source.capacity;
        const to = (row * kvHeads + head) * this.capacity;
        const copy =
          positions === undefined ? copyFirst(source.lengths[sourceRow]!) : copyKept(positions[layer]![head]!);
        copy(source.keys[layer]!, from, this.keys[layer]!, to, headDim);
        copy(source.values[layer]!, from, this.values[layer]!, to, headDim);
      }
    }
    const kept = positions === undefined ? source.lengths[sourceRow]! : positions[0]![0]!.length;
    this.lengths[row] = kept;
    this.mask.fill(0, row * this.capacity, row * this.capacity + kept);
    this.mask.fill(hidden, row * this.capacity + kept, (row + 1) * this.capacity);
  }
}

/** Copies rows of D numbers from one array to another. */
type Copy = (source: Float32Array, from: number, target: Float32Array, to: number, headDim: number) => void;

const copyFirst =
  (count: number): Copy =>
  (source, from, target, to, headDim) =>
    target.set(source.subarray(from * headDim, (from + count) * headDim), to * headDim);

/** Runs of neighbouring positions go in one piece. */
const copyKept =
  (positions: Int32Array): Copy =>
  (source, from, target, to, headDim) => {
    let start = 0;
    while (start < positions.length) {
      let end = start + 1;
      while (end < positions.length && positions[end - 1]! + 1 === positions[end]) end++;
      const first = (from + positions[start]!) * headDim;
      target.set(source.subarray(first, first + (end - start) * headDim), (to + start) * headDim);
      start = end;
    }
  };
