import { f1 } from './rouge-tokens.js';

/** F1 of two bags of words (or n-grams): a word is shared as often as the rarer side holds it. */
export function bagF1(predicted: readonly string[], expected: readonly string[]): number {
  const left = new Map<string, number>(); // words of the reference that are not matched yet
  for (const word of expected) left.set(word, (left.get(word) ?? 0) + 1);
  let matches = 0;
  for (const word of predicted) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    matches++;
  }
  return f1(matches, predicted.length, expected.length);
}
