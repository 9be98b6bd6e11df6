export { cosineSimilarity } from './cosine.js';
export { datasetMetrics, metricOfDataset, scoredPart, type DatasetMetric } from './dataset-metrics.js';
export { checkLogProbs } from './log-prob.js';
export type { Metric, MetricContext } from './metric.js';
export { findMetric, metricNamed, metricNames } from './metrics.js';
export { scorerNamed, type Mix, type MixPart, type Scorer } from './mix.js';
export { rougeLF1 } from './rouge-l.js';
export { isBlank, scoreItem, scoreSteps, textsToEmbed, type ScoreItem } from './score-item.js';
