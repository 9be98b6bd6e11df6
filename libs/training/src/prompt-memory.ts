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

/** Prompts per Encode call: the encoder's work is then spread over calls that keep its deadline. */
const encodeBatch = 32;

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
  async embeddings(indices: readonly number[], peers: Peers, signal?: AbortSignal): Promise<Embedding[]> {
    const missing = [...new Set(indices)].filter((index) => this.#known[index]!.embedding === undefined);
    for (let start = 0; start < missing.length; start += encodeBatch) {
      const batch = missing.slice(start, start + encodeBatch);
      const embeddings = await peers.encode(
        batch.map((index) => this.#prompts[index]!.text),
        signal,
      );
      for (const [i, index] of batch.entries()) this.#known[index]!.embedding = embeddings[i]!;
    }
    return indices.map((index) => this.#known[index]!.embedding!);
  }
}
