import { textMetric, type Metric } from './metric.js';
import { pythonWords } from './python-text.js';
import { f1 } from './rouge-tokens.js';

/**
 * LongBench's qa_f1_score: F1 over the bags of words of both texts, lower case, without ASCII punctuation and the
 * articles a, an, the (SQuAD's normalisation).
 */
export const qaF1: Metric = textMetric('qa_f1', 'task', (prediction, reference) => {
  const predicted = normalisedWords(prediction);
  const expected = normalisedWords(reference);
  const left = new Map<string, number>();
  for (const word of expected) left.set(word, (left.get(word) ?? 0) + 1);
  let matches = 0;
  for (const word of predicted) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    matches++;
  }
  return f1(matches, predicted.length, expected.length);
});

function normalisedWords(text: string): string[] {
  const bare = text.toLowerCase().replace(/[!-/:-@[-`{-~]/g, '');
  return pythonWords(bare.replace(/(?<![\p{L}\p{N}_])(?:an?|the)(?![\p{L}\p{N}_])/gu, ' '));
}
