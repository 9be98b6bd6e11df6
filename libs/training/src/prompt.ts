import type { PromptWrapOutput } from '@a2sf/contracts';

/** One prompt of a run: what the generator reads and what its answer is measured by. */
export interface Prompt {
  /** The row's own id, or its place in its file. */
  readonly id: string;
  /** Name of the dataset; empty when the row names none. */
  readonly dataset: string;
  /** The filled template, before any cut or wrapping. */
  readonly text: string;
  /** SHA-256 of the text, hexadecimal. */
  readonly hash: string;
  readonly answers: readonly string[];
  readonly allClasses: readonly string[];
  readonly wrap: PromptWrapOutput;
}
