import { bagF1 } from './bag-f1.js';
import { textMetric, type Metric } from './metric.js';
import { rougeTokens } from './rouge-tokens.js';

/**
 * ROUGE-N F1: n-grams shared by prediction and reference, each counted as often as the rarer side holds it
 * (C.-Y. Lin, ROUGE, 2004; numbers as Python's rouge_score with its stemmer).
 */
export function rougeN(n: number, prediction: string, reference: string): number {
  return bagF1(nGrams(rougeTokens(prediction), n), nGrams(rougeTokens(reference), n));
}

function nGrams(tokens: readonly string[], n: number): string[] {
  return Array.from({ length: Math.max(tokens.length - n + 1, 0) }, (_, i) => tokens.slice(i, i + n).join(' '));
}

export const rouge1: Metric = textMetric('rouge_1', 'similarity', (prediction, reference) =>
  rougeN(1, prediction, reference),
);

export const rouge2: Metric = textMetric('rouge_2', 'similarity', (prediction, reference) =>
  rougeN(2, prediction, reference),
);
