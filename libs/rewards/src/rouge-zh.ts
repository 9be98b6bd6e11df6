import { chineseWords } from './chinese-words.js';
import { longBenchRougeF } from './longbench-rouge.js';
import { textMetric, type Metric } from './metric.js';

/**
 * LongBench's rouge_zh_score: its rouge_score of both texts with blanks between jieba's words. Only an ASCII full stop
 * ends a sentence. Throws RESOURCE_EXHAUSTED for a text of more than 65,536 UTF-16 units or 4096 words.
 */
export const rougeZh: Metric = textMetric('rouge_zh', 'task', (prediction, reference) =>
  longBenchRougeF(chineseWords(prediction).join(' '), chineseWords(reference).join(' ')),
);
