import { bagF1 } from './bag-f1.js';
import { textMetric, type Metric } from './metric.js';
import { pythonWords } from './python-text.js';

/**
 * LongBench's qa_f1_score: F1 over the bags of words of both texts, lower case, without ASCII punctuation and the
 * articles a, an, the (SQuAD's normalisation).
 */
export const qaF1: Metric = textMetric('qa_f1', 'task', (prediction, reference) =>
  bagF1(normalisedWords(prediction), normalisedWords(reference)),
);

function normalisedWords(text: string): string[] {
  const bare = text.toLowerCase().replace(/[!-/:-@[-`{-~]/g, '');
  return pythonWords(bare.replace(/(?<![\p{L}\p{N}_])(?:an?|the)(?![\p{L}\p{N}_])/gu, ' '));
}
