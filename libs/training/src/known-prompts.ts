import type { RewardLine } from './reward-lines.js';
import type { Embedding } from './peers.js';

/** The prompts of one side of a run: what the policy is asked about them, and what every action earns on them. */
export interface KnownPrompts {
  readonly size: number;
  /** True when the rewards of all prompts are there from the beginning and cost nothing. */
  readonly complete: boolean;
  /** Name of a prompt's dataset; empty when it has none. */
  dataset(index: number): string;
  /** The embeddings of prompts, order kept. */
  embeddings(indices: readonly number[], signal?: AbortSignal): Promise<Embedding[]>;
  /** What every action earns on prompts, order kept; a prompt that is named twice is computed once. */
  rows(
    indices: readonly number[],
    signal?: AbortSignal,
    onProgress?: (done: number, of: number) => void,
  ): Promise<RewardLine[]>;
}

/** All indices of a side. */
export function everyIndex({ size }: { readonly size: number }): number[] {
  return Array.from({ length: size }, (_, index) => index);
}
