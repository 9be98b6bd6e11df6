import { lcsLength } from './longest-common-subsequence.js';
import { textMetric, type Metric } from './metric.js';
import { pythonRound } from './python-text.js';

/**
 * LongBench's code_sim_score: the first predicted line without a comment or backtick, compared with the reference by the
 * indel ratio 2 l / (|line| + |reference|), l their longest common subsequence of characters, in whole percents
 * (fuzzywuzzy with python-Levenshtein; without that package it gives difflib's ratio instead).
 * Throws RESOURCE_EXHAUSTED for a line or reference of more than 65,536 characters.
 */
export const codeSim: Metric = textMetric('code_sim', 'task', (prediction, reference) => {
  const lines = prediction.replace(/^\n+/, '').split('\n');
  const line = lines.find((text) => !/`|#|\/\//.test(text)) ?? '';
  const predicted = Array.from(line);
  const expected = Array.from(reference);
  if (predicted.length === 0) return 0;
  return pythonRound((200 * lcsLength(expected, predicted)) / (predicted.length + expected.length)) / 100;
});
