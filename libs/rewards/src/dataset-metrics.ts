import { A2sfError } from '@a2sf/errors';
import { classification } from './classification.js';
import { codeSim } from './code-sim.js';
import { longBenchRouge } from './longbench-rouge.js';
import type { Metric } from './metric.js';
import { count, retrieval, retrievalZh } from './number-match.js';
import { qaF1 } from './qa-f1.js';
import { qaF1Zh } from './qa-f1-zh.js';
import { rougeZh } from './rouge-zh.js';
import { stringMatch } from './string-match.js';

/** LongBench's own metric of each of its datasets (its dataset2metric table), RULER's, and those of the embedded prompts. */
const table: Readonly<Record<string, Metric>> = {
  narrativeqa: qaF1,
  qasper: qaF1,
  multifieldqa_en: qaF1,
  multifieldqa_zh: qaF1Zh,
  hotpotqa: qaF1,
  '2wikimqa': qaF1,
  musique: qaF1,
  dureader: rougeZh,
  gov_report: longBenchRouge,
  qmsum: longBenchRouge,
  multi_news: longBenchRouge,
  vcsum: rougeZh,
  trec: classification,
  triviaqa: qaF1,
  samsum: longBenchRouge,
  lsht: classification,
  passage_retrieval_en: retrieval,
  passage_count: count,
  passage_retrieval_zh: retrievalZh,
  lcc: codeSim,
  'repobench-p': codeSim,
  ruler: stringMatch,
  tiny_qa_single: qaF1,
  tiny_qa_multi: qaF1,
  tiny_retrieval: retrieval,
  tiny_fewshot: classification,
  tiny_summary: longBenchRouge,
  tiny_code: codeSim,
};

const byDataset: ReadonlyMap<string, Metric> = new Map(Object.entries(table));

/** Datasets of which LongBench scores the first line of the prediction alone. */
const firstLineDatasets: ReadonlySet<string> = new Set(['trec', 'triviaqa', 'samsum', 'lsht']);

/** A dataset and the name of its own metric. */
export interface DatasetMetric {
  readonly dataset: string;
  readonly metric: string;
}

/** Every known dataset, sorted. */
export const datasetMetrics: readonly DatasetMetric[] = [...byDataset]
  .map(([dataset, metric]) => ({ dataset, metric: metric.name }))
  .sort((x, y) => (x.dataset < y.dataset ? -1 : 1));

/** A dataset's own metric. Throws INVALID_ARGUMENT naming `field` for an unknown dataset. */
export function metricOfDataset(dataset: string, field = 'dataset'): Metric {
  const metric = byDataset.get(dataset);
  if (!metric) {
    const known = datasetMetrics.map((entry) => entry.dataset).join(', ');
    throw A2sfError.invalid(
      field,
      `unknown dataset ${JSON.stringify(dataset.slice(0, 60))}, known are ${known}`,
      'unknown-dataset',
    );
  }
  return metric;
}

/** What LongBench scores of a prediction: for some datasets its first line, leading line breaks off. */
export function scoredPart(prediction: string, dataset: string): string {
  return firstLineDatasets.has(dataset) ? prediction.replace(/^\n+/, '').split('\n', 1)[0]! : prediction;
}
