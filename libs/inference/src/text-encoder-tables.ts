import type { LengthTables, TableInput, TableInputs, TablePart } from '@a2sf/model-zoo';
import { float32, int64, OnnxSession, type Feeds, type SessionOptions } from './onnx-session.js';

/** Most bytes of tables that are kept, unless told otherwise. */
const defaultTableBytes = 512 * 1024 ** 2;

/**
 * A part that none of so many texts used may go for one that the texts could do without. Fewer than this many size classes
 * by turns then never push out each other's tables, which take longer to make than they save in a run.
 */
const textsOfUse = 32;

interface Entry {
  readonly feeds: Promise<Feeds>;
  readonly bytes: number;
  /** There is a part that does instead. */
  readonly dispensable: boolean;
  /** Number of the last text that used it. */
  text: number;
}

const dispensable = (entry: Entry): boolean => entry.dispensable;
const any = (): boolean => true;

/**
 * An encoder's length tables, each part computed at its first use and kept, up to `maxBytes` together. What a text cannot do
 * without is kept while it is in use, whatever its size, and pushes out what has not been used for long, then what texts could
 * do without, the least recently used first; a part with another `instead` is made where there is room, or in place of what
 * has not been used for long.
 */
export class TableCache {
  /** By key, least recently used first. */
  private readonly entries = new Map<string, Entry>();
  private texts = 0;

  constructor(
    private readonly tables: LengthTables,
    private readonly options: SessionOptions,
    private readonly maxBytes = defaultTableBytes,
  ) {}

  /** Bytes of the parts that are kept. */
  get bytes(): number {
    return [...this.entries.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Parts that are kept. */
  get keys(): readonly string[] {
    return [...this.entries.keys()];
  }

  /** The inputs that a text of this many tokens adds to the encoder's graph. */
  async feeds(length: number): Promise<Feeds> {
    this.texts++;
    // Room is made before anything is computed: tables that go and tables that come never lie in memory together.
    const parts = this.choose(this.tables.partsOf(length));
    const feeds: Feeds = {};
    for (const part of parts) Object.assign(feeds, await this.part(part));
    return feeds;
  }

  dispose(): void {
    this.entries.clear();
  }

  /** For each part itself, or what does instead; what goes for them is forgotten. */
  private choose(parts: readonly TablePart[]): TablePart[] {
    const stale = (entry: Entry): boolean => this.texts - entry.text >= textsOfUse;
    const chosen = parts.map((part) => (this.entries.has(part.key) ? part : (part.instead ?? part)));
    const wanted = new Set(chosen.map(({ key }) => key));
    const missing = chosen.filter(({ key }) => !this.entries.has(key));
    let bytes = missing.reduce((sum, each) => sum + each.bytes, this.bytes);
    for (const kind of [stale, dispensable, any]) bytes -= this.forget(bytes - this.maxBytes, wanted, kind);
    return chosen.map((other, i) => {
      const part = parts[i]!;
      if (part === other) return part;
      const more = part.bytes - (this.entries.has(other.key) ? 0 : other.bytes);
      const excess = bytes + more - this.maxBytes;
      if (this.forgettable(wanted, stale) < excess) return other;
      bytes += more - this.forget(excess, wanted, stale);
      return part;
    });
  }

  /** Bytes of the parts of a kind that are not wanted. */
  private forgettable(wanted: ReadonlySet<string>, kind: (entry: Entry) => boolean): number {
    let bytes = 0;
    for (const [key, entry] of this.entries) if (!wanted.has(key) && kind(entry)) bytes += entry.bytes;
    return bytes;
  }

  /** Forgets such parts, the least recently used first, until `bytes` are free or none is left. Returns the bytes. */
  private forget(bytes: number, wanted: ReadonlySet<string>, kind: (entry: Entry) => boolean): number {
    let freed = 0;
    for (const [key, entry] of this.entries) {
      if (freed >= bytes) break;
      if (wanted.has(key) || !kind(entry)) continue;
      this.entries.delete(key);
      freed += entry.bytes;
    }
    return freed;
  }

  private async part(part: TablePart): Promise<Feeds> {
    const entry = this.entries.get(part.key) ?? {
      feeds: this.derive(part),
      bytes: part.bytes,
      dispensable: part.instead !== undefined,
      text: 0,
    };
    entry.text = this.texts;
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
      const session = await OnnxSession.create(graph, { ...this.options, once: true });
      try {
        Object.assign(feeds, await session.run(toFeeds(inputs), outputs));
      } finally {
        await session.dispose();
      }
    }
    return feeds;
  }
}

/** Plain tables as tensors. */
export function toFeeds(inputs: TableInputs): Feeds {
  const tensor = (input: TableInput) =>
    input.type === 'float32' ? float32(input.data, input.shape) : int64(input.data, input.shape);
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, tensor(input)]));
}
