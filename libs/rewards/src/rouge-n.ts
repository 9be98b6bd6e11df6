import { textMetric, type Metric } from './metric.js';
import { f1, rougeTokens } from './rouge-tokens.js';

/**
 * ROUGE-N F1: n-grams shared by prediction and reference, each counted as often as the rarer side holds it
 * (C.-Y. Lin, ROUGE, 2004; numbers as Python's rouge_score with its stemmer).
 */
export function rougeN(n: number, prediction: string, reference: string): number {
  const predicted = rougeTokens(prediction);
  const expected = rougeTokens(reference);
  const left = new Map<string, number>(); // n-grams of the reference that are not matched yet
  for (const gram of nGrams(expected, n)) left.set(gram, (left.get(gram) ?? 0) + 1);
  let matches = 0;
  for (const gram of nGrams(predicted, n)) {
    const count = left.get(gram) ?? 0;
    if (count === 0) continue;
    left.set(gram, count - 1);
    matches++;
  }
  return f1(matches, Math.max(predicted.length - n + 1, 0), Math.max(expected.length - n + 1, 0));
}

function* nGrams(tokens: readonly string[], n: number): Generator<string> {
  for (let i = 0; i + n <= tokens.length; i++) yield tokens.slice(i, i + n).join(' ');
}

export const rouge1: Metric = textMetric('rouge_1', 'similarity', (prediction, reference) =>
  rougeN(1, prediction, reference),
);

export const rouge2: Metric = textMetric('rouge_2', 'similarity', (prediction, reference) =>
  rougeN(2, prediction, reference),
);
