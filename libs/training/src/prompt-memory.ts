import type { Embedding, Peers } from './peers.js';
import type { Prompt } from './prompt.js';

/** What is known of one prompt. All of it follows from the prompt, so that it may be computed again at any time. */
interface Known {
  /** The full cache's text. */
  full?: string;
  /** Tokens of the prompt as the generator read it. */
  promptTokens?: number;
}

/** Prompts, and bytes of text, of one Encode call: both far below what the encoder takes. A longer text goes alone. */
const encodeBatch = 32;
const encodeBatchBytes = 4 << 20;

/** Embeddings that are held in memory when a file has them all: 25 MB of 768 components. */
const maxHeld = 4096;

/** Where the embeddings of a run are kept, each computed once: by one encoder, under the SHA-256 of its text. */
export interface EmbeddingStore {
  get(hash: string): Promise<Embedding | undefined>;
  /** Keeps what one call of the encoder gave, whole or not at all. */
  add(entries: readonly { readonly hash: string; readonly embedding: Embedding }[]): Promise<void>;
}

/**
 * Remembers, for the prompts of one set, what was computed for them before: bounded by the size of the set. Embeddings
 * come from the store, where there is one, and go into it before anyone sees them: a run that is resumed has the same.
 */
export class PromptMemory {
  readonly #prompts: readonly Prompt[];
  readonly #known: Known[];
  readonly #store: EmbeddingStore | undefined;
  /** By the hash of the prompt, in the order they came. */
  readonly #held = new Map<string, Embedding>();

  constructor(prompts: readonly Prompt[], store?: EmbeddingStore) {
    this.#prompts = prompts;
    this.#known = prompts.map(() => ({}));
    this.#store = store;
  }

  get size(): number {
    return this.#prompts.length;
  }

  prompt(index: number): Prompt {
    return this.#prompts[index]!;
  }

  known(index: number): Readonly<Known> {
    return this.#known[index]!;
  }

  /** Keeps what a sweep told. */
  learn(index: number, sweep: { readonly full: string | undefined; readonly promptTokens: number }): void {
    const known = this.#known[index]!;
    known.promptTokens = sweep.promptTokens;
    if (sweep.full !== undefined) known.full = sweep.full;
  }

  /** The embeddings of prompts; those not known yet are computed first, each once. */
  async embeddings(
    indices: readonly number[],
    encoder: Pick<Peers, 'encode'>,
    signal?: AbortSignal,
  ): Promise<Embedding[]> {
    const found = new Map<string, Embedding>();
    const missing: number[] = [];
    for (const [hash, index] of new Map(indices.map((index) => [this.#prompts[index]!.hash, index]))) {
      const embedding = this.#held.get(hash) ?? (await this.#store?.get(hash));
      if (embedding === undefined) missing.push(index);
      else this.#hold(found, hash, embedding);
    }
    for (const batch of this.#batches(missing)) {
      const embeddings = await encoder.encode(
        batch.map((index) => this.#prompts[index]!.text),
        signal,
      );
      const entries = batch.map((index, i) => ({ hash: this.#prompts[index]!.hash, embedding: embeddings[i]! }));
      await this.#store?.add(entries);
      for (const { hash, embedding } of entries) this.#hold(found, hash, embedding);
    }
    return indices.map((index) => found.get(this.#prompts[index]!.hash)!);
  }

  /** What no store gives back is held as long as the set is. */
  #hold(found: Map<string, Embedding>, hash: string, embedding: Embedding): void {
    found.set(hash, embedding);
    this.#held.set(hash, embedding);
    const [oldest] = this.#held.keys();
    if (this.#store !== undefined && this.#held.size > maxHeld) this.#held.delete(oldest!);
  }

  /** Splits prompts into groups for one call each. */
  *#batches(indices: readonly number[]): Generator<number[]> {
    let batch: number[] = [];
    let bytes = 0;
    for (const index of indices) {
      const size = Buffer.byteLength(this.#prompts[index]!.text);
      if (batch.length === encodeBatch || (batch.length > 0 && bytes + size > encodeBatchBytes)) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(index);
      bytes += size;
    }
    if (batch.length > 0) yield batch;
  }
}
