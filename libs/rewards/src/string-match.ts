import { comparing, type Metric } from './metric.js';

/**
 * RULER's string_match_all: the share of the references that occur in the prediction, upper and lower case alike
 * (arXiv 2404.06654, its evaluation script).
 */
export const stringMatch: Metric = {
  ...comparing,
  name: 'string_match',
  kind: 'task',
  over: 'mean',
  score: (prediction, reference) => (prediction.toLowerCase().includes(reference.toLowerCase()) ? 1 : 0),
};
