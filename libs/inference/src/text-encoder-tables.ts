import type { LengthTables, TableInput, TableInputs } from '@a2sf/model-zoo';
import { float32, int64, OnnxSession, type Feeds, type SessionOptions } from './onnx-session.js';

/** Most bytes of tables that are kept; the ones in use are kept whatever their size. */
const defaultMaxBytes = 1024 ** 3;

interface Entry {
  readonly feeds: Promise<Feeds>;
  bytes: number;
}

/** An encoder's length tables, each size class computed at its first use and kept; the least recently used go first. */
export class TableCache {
  /** By size class, least recently used first. */
  private readonly entries = new Map<number, Entry>();

  private constructor(
    private readonly tables: LengthTables,
    private readonly session: OnnxSession,
    private readonly maxBytes: number,
  ) {}

  static async create(tables: LengthTables, options: SessionOptions, maxBytes = defaultMaxBytes): Promise<TableCache> {
    return new TableCache(tables, await OnnxSession.create(tables.graph, options), maxBytes);
  }

  /** Size classes that are kept. */
  get sizes(): readonly number[] {
    return [...this.entries.keys()];
  }

  /** The inputs that a text of this many tokens adds to the encoder's graph. */
  async feeds(length: number): Promise<Feeds> {
    const size = this.tables.sizeOf(length);
    const entry = this.entries.get(size) ?? { feeds: this.derive(size), bytes: 0 };
    this.entries.delete(size); // to the end of the order
    this.entries.set(size, entry);
    try {
      const feeds = await entry.feeds;
      entry.bytes = byteLength(feeds);
      this.evict();
      return feeds;
    } catch (error) {
      this.entries.delete(size);
      throw error;
    }
  }

  async dispose(): Promise<void> {
    this.entries.clear();
    await this.session.dispose();
  }

  private async derive(size: number): Promise<Feeds> {
    const { direct, derivation } = this.tables.inputs(size);
    return { ...toFeeds(direct), ...(await this.session.run(toFeeds(derivation), this.tables.outputs)) };
  }

  private evict(): void {
    let total = 0;
    for (const { bytes } of this.entries.values()) total += bytes;
    for (const [size, { bytes }] of this.entries) {
      if (total <= this.maxBytes || this.entries.size === 1) return;
      this.entries.delete(size);
      total -= bytes;
    }
  }
}

/** Plain tables as tensors. */
export function toFeeds(inputs: TableInputs): Feeds {
  const tensor = (input: TableInput) =>
    input.type === 'float32' ? float32(input.data, input.shape) : int64(input.data, input.shape);
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, tensor(input)]));
}

function byteLength(feeds: Feeds): number {
  return Object.values(feeds).reduce((sum, { data }) => sum + (data as Float32Array).byteLength, 0);
}
