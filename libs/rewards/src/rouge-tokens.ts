import { porterStem } from './porter-stemmer.js';

/**
 * The words of a text as Python's rouge_score sees them: lower case, every run of other characters than a-z and 0-9
 * separates (so letters of other alphabets do not count), words of more than three characters stemmed.
 */
export function rougeTokens(text: string): string[] {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.map((word) => (word.length > 3 ? porterStem(word) : word));
}

/** F1 = 2pr / (p + r) of `matches` among the predicted and the reference units; 0 when nothing matches. */
export function f1(matches: number, predicted: number, expected: number): number {
  return matches === 0 ? 0 : (2 * matches) / (predicted + expected);
}
