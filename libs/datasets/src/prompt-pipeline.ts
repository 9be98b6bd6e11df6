import { A2sfError } from '@a2sf/errors';

/** What the pipeline needs of a model's tokenizer. */
export interface PromptTokenizer {
  /** Token ids with the special tokens that the model's own tokenizer adds. */
  encode(text: string): readonly number[];
  decode(ids: readonly number[], options: { readonly skipSpecialTokens: boolean }): string;
}

/** What is put around a prompt: nothing, or `[INST]` and `[/INST]` without blanks. */
export type PromptWrap = 'none' | 'inst';

/** How a prompt is made ready. */
export interface PromptOptions {
  /** Longest text in tokens, special tokens included; at least 2. */
  readonly maxTokens: number;
  readonly wrap: PromptWrap;
}

/** A prompt as the model reads it. */
export interface PreparedPrompt {
  readonly text: string;
  readonly ids: readonly number[];
  /** True when the middle was cut out. */
  readonly truncated: boolean;
}

/**
 * The reference's prompt rule: tokenise; over `maxTokens` keep floor(maxTokens / 2) tokens of either end, decoded each by
 * itself without special tokens and joined; wrap; tokenise again.
 *
 * The result can hold a few more or fewer than `maxTokens` ids: the start token comes back, the wrap adds its own, words
 * at the seam may merge. Throws INVALID_ARGUMENT for maxTokens < 2 (half of 1 is 0, where the reference keeps everything).
 */
export function preparePrompt(
  text: string,
  tokenizer: PromptTokenizer,
  { maxTokens, wrap }: PromptOptions,
): PreparedPrompt {
  const ids = tokenizer.encode(text);
  const ends = splitEnds(ids, maxTokens);
  const decode = (part: readonly number[]) => tokenizer.decode(part, { skipSpecialTokens: true });
  const cut = ends ? decode(ends.head) + decode(ends.tail) : text;
  const final = wrap === 'inst' ? `[INST]${cut}[/INST]` : cut;
  return { text: final, ids: final === text ? ids : tokenizer.encode(final), truncated: ends !== undefined };
}

/** First and last floor(maxTokens / 2) ids, or undefined when all of them fit. Throws INVALID_ARGUMENT for maxTokens < 2. */
export function splitEnds(
  ids: readonly number[],
  maxTokens: number,
): { readonly head: readonly number[]; readonly tail: readonly number[] } | undefined {
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 2) {
    throw A2sfError.invalid('max_tokens', `must be a whole number of at least 2, got ${maxTokens}`);
  }
  if (ids.length <= maxTokens) return undefined;
  const half = Math.floor(maxTokens / 2);
  return { head: ids.slice(0, half), tail: ids.slice(ids.length - half) };
}
