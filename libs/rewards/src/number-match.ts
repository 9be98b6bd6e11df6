import { textMetric, type Metric } from './metric.js';
import { pythonNumbers } from './python-text.js';

/** Share of the numbers in the prediction that are `wanted`, digit for digit; 0 without any number. */
function shareOf(wanted: string | undefined, prediction: string): number {
  const numbers = pythonNumbers(prediction);
  return numbers.length === 0 ? 0 : numbers.filter((number) => number === wanted).length / numbers.length;
}

/** LongBench's retrieval_score: the reference's paragraph among the numbers named; a reference without one is never met. */
export const retrieval: Metric = textMetric('retrieval', 'task', (prediction, reference) =>
  shareOf(/Paragraph (\p{Nd}+)/u.exec(reference)?.[1], prediction),
);

/** LongBench's retrieval_zh_score. */
export const retrievalZh: Metric = textMetric('retrieval_zh', 'task', (prediction, reference) =>
  shareOf(/段落(\p{Nd}+)/u.exec(reference)?.[1], prediction),
);

/** LongBench's count_score: the reference is the number itself. */
export const count: Metric = textMetric('count', 'task', (prediction, reference) => shareOf(reference, prediction));
