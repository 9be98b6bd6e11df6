import { lcsLength } from './longest-common-subsequence.js';
import { textMetric, type Metric } from './metric.js';
import { f1, rougeTokens } from './rouge-tokens.js';

/**
 * ROUGE-L F1: l / |prediction| and l / |reference| are precision and recall, l the length of the longest common
 * subsequence of their words (C.-Y. Lin, ROUGE, 2004; numbers as Python's rouge_score with its stemmer).
 * Throws RESOURCE_EXHAUSTED for a text of more than 65,536 words.
 */
export function rougeLF1(prediction: string, reference: string): number {
  const predicted = rougeTokens(prediction);
  const expected = rougeTokens(reference);
  return f1(lcsLength(expected, predicted), predicted.length, expected.length);
}

export const rougeL: Metric = textMetric('rouge_l', 'similarity', rougeLF1);
