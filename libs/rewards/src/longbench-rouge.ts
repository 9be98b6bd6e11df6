import { checkLength } from './longest-common-subsequence.js';
import { textMetric, type Metric } from './metric.js';
import { pythonWords } from './python-text.js';

/** Longest text that is compared, in words: the walk back through the table costs its whole size. */
const maxWords = 4096;

/**
 * LongBench's rouge_score, that is `rouge-l` of the PyPI package rouge, which works on sets of words:
 * with U the union, over all pairs of a reference and a predicted sentence, of the words of their longest common
 * subsequence, p = |U| / |words of the prediction|, r = |U| / |words of the reference|, F = 2pr / (p + r + 1e-8).
 * Text is split at every full stop; no stemming, no lower case.
 * Throws RESOURCE_EXHAUSTED for a text of more than 4096 words.
 */
export const longBenchRouge: Metric = textMetric('rouge', 'task', longBenchRougeF);

/** F of `longBenchRouge` for texts whose words stand between blanks. */
export function longBenchRougeF(prediction: string, reference: string): number {
  const predicted = sentences(prediction);
  const expected = sentences(reference);
  if (predicted.length === 0 || expected.length === 0) return 0;
  const union = new Set<string>();
  for (const reference of expected) {
    for (const sentence of predicted) addCommonWords(union, reference, sentence);
  }
  const precision = union.size / new Set(predicted.flat()).size;
  const recall = union.size / new Set(expected.flat()).size;
  return (2 * precision * recall) / (precision + recall + 1e-8);
}

/** The words of each sentence; a blank sentence is one empty word, as `"".split(" ")` is in Python. */
function sentences(text: string): string[][] {
  const result = text
    .split('.')
    .filter((sentence) => sentence !== '')
    .map((sentence) => pythonWords(sentence))
    .map((words) => (words.length === 0 ? [''] : words));
  checkLength(
    result.reduce((sum, words) => sum + words.length, 0),
    maxWords,
  );
  return result;
}

/**
 * Adds the words of one longest common subsequence of x and y. Which of several matters for the set: on a tie the walk
 * back moves left in y.
 */
function addCommonWords(union: Set<string>, x: readonly string[], y: readonly string[]): void {
  const width = y.length + 1;
  const table = new Uint16Array((x.length + 1) * width); // table[i, j] = LCS length of x[0..i-1] and y[0..j-1]
  for (let i = 1; i <= x.length; i++) {
    for (let j = 1; j <= y.length; j++) {
      const at = i * width + j;
      table[at] = x[i - 1] === y[j - 1] ? table[at - width - 1]! + 1 : Math.max(table[at - width]!, table[at - 1]!);
    }
  }
  let i = x.length;
  let j = y.length;
  while (i > 0 && j > 0) {
    const at = i * width + j;
    if (x[i - 1] === y[j - 1]) {
      union.add(x[i - 1]!);
      i--;
      j--;
    } else if (table[at - width]! > table[at - 1]!) i--;
    else j--;
  }
}
