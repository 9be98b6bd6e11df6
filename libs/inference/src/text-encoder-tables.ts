import type { LengthTables, TableInput, TableInputs } from '@a2sf/model-zoo';
import { float32, int64, OnnxSession, type Feeds, type SessionOptions } from './onnx-session.js';

type TablePart = ReturnType<LengthTables['partsOf']>[number];

/** Most bytes of tables that are kept; the ones in use are kept whatever their size. */
const defaultMaxBytes = 512 * 1024 ** 2;

interface Entry {
  readonly feeds: Promise<Feeds>;
  readonly bytes: number;
}

/** An encoder's length tables, each part computed at its first use and kept; the least recently used go first. */
export class TableCache {
  /** By key, least recently used first. */
  private readonly entries = new Map<string, Entry>();

  private constructor(
    private readonly tables: LengthTables,
    private readonly options: SessionOptions,
    private readonly maxBytes: number,
  ) {}

  static create(tables: LengthTables, options: SessionOptions, maxBytes = defaultMaxBytes): Promise<TableCache> {
    return Promise.resolve(new TableCache(tables, options, maxBytes));
  }

  /** Parts that are kept. */
  get keys(): readonly string[] {
    return [...this.entries.keys()];
  }

  /** The inputs that a text of this many tokens adds to the encoder's graph. */
  async feeds(length: number): Promise<Feeds> {
    const parts = this.tables.partsOf(length);
    // Room is made before anything is computed: tables that go and tables that come never lie in memory together.
    this.evict(parts);
    const feeds: Feeds = {};
    for (const part of parts) Object.assign(feeds, await this.part(part));
    return feeds;
  }

  dispose(): Promise<void> {
    this.entries.clear();
    return Promise.resolve();
  }

  private async part(part: TablePart): Promise<Feeds> {
    const entry = this.entries.get(part.key) ?? { feeds: this.derive(part), bytes: part.bytes };
    this.entries.delete(part.key); // to the end of the order
    this.entries.set(part.key, entry);
    try {
      return await entry.feeds;
    } catch (error) {
      this.entries.delete(part.key);
      throw error;
    }
  }

  /** A session for each step, released after it: what it needed besides its outputs is given back. */
  private async derive(part: TablePart): Promise<Feeds> {
    const feeds = toFeeds(part.direct());
    for (const { graph, inputs, outputs } of part.steps()) {
      const session = await OnnxSession.create(graph, this.options);
      try {
        Object.assign(feeds, await session.run(toFeeds(inputs), outputs));
      } finally {
        await session.dispose();
      }
    }
    return feeds;
  }

  private evict(wanted: readonly TablePart[]): void {
    const keys = new Set(wanted.map(({ key }) => key));
    let total = wanted.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [key, { bytes }] of this.entries) if (!keys.has(key)) total += bytes;
    for (const [key, { bytes }] of this.entries) {
      if (total <= this.maxBytes) return;
      if (keys.has(key)) continue;
      this.entries.delete(key);
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
