import { A2sfError } from '@a2sf/errors';
import { scoredPart } from './dataset-metrics.js';
import type { Metric, MetricContext } from './metric.js';
import type { Scorer } from './mix.js';

/** One text to score. */
export interface ScoreItem {
  readonly prediction: string;
  /** The texts to compare with, at least one where the metric looks at them; see the metric's `over`. */
  readonly references: readonly string[];
  /** The classes to choose from; empty for other metrics than classification. */
  readonly allClasses: readonly string[];
  /** Dataset whose first-line rule applies to task metrics; may be empty. */
  readonly dataset: string;
  /** ln P of each token of the text, as the generator delivered it; empty for other metrics than log_prob. */
  readonly logProbs: readonly number[];
}

/** True for an empty text and for white space alone: it scores 0 under every metric that looks at it. */
export function isBlank(text: string): boolean {
  return text.trim() === '';
}

/** The texts of an item whose embeddings `scoreItem` will ask for; none when the score is 0 without them. */
export function textsToEmbed(scorer: Scorer, item: ScoreItem): string[] {
  if (!scorer.needsEmbeddings || isBlank(item.prediction)) return [];
  const references = item.references.filter((reference) => !isBlank(reference));
  return references.length === 0 ? [] : [item.prediction, ...references];
}

/**
 * max (or mean, as the metric says) over the references of metric(prediction, reference), clamped to 0..1; 0 where either is
 * blank. A mix is the weighted sum of that over its metrics.
 *
 * Throws INVALID_ARGUMENT without the references, classes or log-probabilities that the metric needs, RESOURCE_EXHAUSTED for texts
 * longer than the metric compares, and INTERNAL when a metric gives NaN.
 */
export function scoreItem(scorer: Scorer, item: ScoreItem, embedding?: MetricContext['embedding']): number {
  const steps = scoreSteps(scorer, item, embedding);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** `scoreItem` in steps of one reference, so that a caller can do other work in between. */
export function* scoreSteps(
  scorer: Scorer,
  item: ScoreItem,
  embedding: MetricContext['embedding'] = noEmbedding,
): Generator<void, number> {
  if (!('parts' in scorer)) return yield* metricSteps(scorer, item, embedding);
  let sum = 0;
  for (const { metric, weight } of scorer.parts) sum += weight * (yield* metricSteps(metric, item, embedding));
  return Math.min(sum, 1);
}

function* metricSteps(metric: Metric, item: ScoreItem, embedding: MetricContext['embedding']): Generator<void, number> {
  const context: MetricContext = { allClasses: item.allClasses, logProbs: item.logProbs, embedding };
  if (!metric.needsReferences) return checkedScore(metric, '', '', context);
  if (item.references.length === 0) throw A2sfError.invalid('references', 'needs at least one text');
  if (metric.needsClasses && item.allClasses.length === 0) {
    throw A2sfError.invalid('all_classes', `${metric.name} needs at least one class`);
  }
  const prediction = metric.kind === 'task' ? scoredPart(item.prediction, item.dataset) : item.prediction;
  if (isBlank(prediction)) return 0;
  let best = 0;
  let sum = 0;
  for (const reference of item.references) {
    if (isBlank(reference)) continue;
    const score = checkedScore(metric, prediction, reference, context);
    best = Math.max(best, score);
    sum += score;
    yield;
  }
  return metric.over === 'mean' ? sum / item.references.length : best;
}

function checkedScore(metric: Metric, prediction: string, reference: string, context: MetricContext): number {
  const score = metric.score(prediction, reference, context);
  if (Number.isNaN(score)) throw new A2sfError('INTERNAL', `metric ${metric.name} gave NaN`);
  return Math.min(score, 1);
}

function noEmbedding(): never {
  throw new A2sfError('FAILED_PRECONDITION', 'no embeddings were made for this item');
}
