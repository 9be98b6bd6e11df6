import type { Embedding, Peers } from './peers.js';
import type { Prompt } from './prompt.js';

/** What is known of one prompt. All of it follows from the prompt, so that it may be computed again at any time. */
interface Known {
  embedding?: Embedding;
  /** The full cache's text. */
  full?: string;
  /** Tokens of the prompt as the generator read it. */
  promptTokens?: number;
}

/** Prompts, and bytes of text, of one Encode call: both far below what the encoder takes. A longer text goes alone. */
const encodeBatch = 32;
const encodeBatchBytes = 4 << 20;

/** Remembers, for the prompts of one set, what was computed for them before: bounded by the size of the set. */
export class PromptMemory {
  readonly #prompts: readonly Prompt[];
  readonly #known: Known[];

  constructor(prompts: readonly Prompt[]) {
    this.#prompts = prompts;
    this.#known = prompts.map(() => ({}));
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
    const missing = [...new Set(indices)].filter((index) => this.#known[index]!.embedding === undefined);
    for (const batch of this.#batches(missing)) {
      const embeddings = await encoder.encode(
        batch.map((index) => this.#prompts[index]!.text),
        signal,
      );
      for (const [i, index] of batch.entries()) this.#known[index]!.embedding = embeddings[i]!;
    }
    return indices.map((index) => this.#known[index]!.embedding!);
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
