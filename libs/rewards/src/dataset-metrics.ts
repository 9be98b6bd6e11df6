import { A2sfError } from '@a2sf/errors';
import type { Metric } from './metric.js';
import { findMetric, metricNames } from './metrics.js';

/** LongBench's own metric of each of its datasets (its dataset2metric table), and those of the embedded prompts. */
const table: Readonly<Record<string, string>> = {
  narrativeqa: 'qa_f1',
  qasper: 'qa_f1',
  multifieldqa_en: 'qa_f1',
  multifieldqa_zh: 'qa_f1_zh',
  hotpotqa: 'qa_f1',
  '2wikimqa': 'qa_f1',
  musique: 'qa_f1',
  dureader: 'rouge_zh',
  gov_report: 'rouge',
  qmsum: 'rouge',
  multi_news: 'rouge',
  vcsum: 'rouge_zh',
  trec: 'classification',
  triviaqa: 'qa_f1',
  samsum: 'rouge',
  lsht: 'classification',
  passage_retrieval_en: 'retrieval',
  passage_count: 'count',
  passage_retrieval_zh: 'retrieval_zh',
  lcc: 'code_sim',
  'repobench-p': 'code_sim',
  tiny_qa_single: 'qa_f1',
  tiny_qa_multi: 'qa_f1',
  tiny_retrieval: 'retrieval',
  tiny_fewshot: 'classification',
  tiny_summary: 'rouge',
  tiny_code: 'code_sim',
};

const byDataset: ReadonlyMap<string, string> = new Map(Object.entries(table));

/** Datasets of which LongBench scores the first line of the prediction alone. */
const firstLineDatasets: ReadonlySet<string> = new Set(['trec', 'triviaqa', 'samsum', 'lsht']);

/** A dataset and the name of its own metric. */
export interface DatasetMetric {
  readonly dataset: string;
  readonly metric: string;
}

/** Each dataset whose own metric is known, sorted by dataset. */
export const datasetMetrics: readonly DatasetMetric[] = [...byDataset]
  .filter(([, metric]) => findMetric(metric))
  .map(([dataset, metric]) => ({ dataset, metric }))
  .sort((x, y) => (x.dataset < y.dataset ? -1 : 1));

/** A dataset's own metric. Throws INVALID_ARGUMENT naming `field` for an unknown dataset or one whose metric is not known. */
export function metricOfDataset(dataset: string, field = 'dataset'): Metric {
  const name = byDataset.get(dataset);
  if (name === undefined) {
    const known = datasetMetrics.map((entry) => entry.dataset).join(', ');
    throw A2sfError.invalid(
      field,
      `unknown dataset ${JSON.stringify(dataset.slice(0, 60))}, known are ${known}`,
      'unknown-dataset',
    );
  }
  const metric = findMetric(name);
  if (!metric) {
    throw A2sfError.invalid(
      field,
      `the metric ${name} of ${dataset} is not available, known are ${metricNames.join(', ')}`,
      'unknown-metric',
    );
  }
  return metric;
}

/** What LongBench scores of a prediction: for some datasets its first line, leading line breaks off. */
export function scoredPart(prediction: string, dataset: string): string {
  return firstLineDatasets.has(dataset) ? prediction.replace(/^\n+/, '').split('\n', 1)[0]! : prediction;
}
