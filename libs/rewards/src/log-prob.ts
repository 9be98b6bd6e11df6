import { A2sfError } from '@a2sf/errors';
import { comparing, type Metric } from './metric.js';

/** Most log-probabilities of one item, a text's tokens. */
export const maxLogProbs = 65_536;

/**
 * exp((1/n) sum_t ln P(y_t | x, y_<t)): the geometric mean of the probabilities that a model under compression gives the
 * n tokens of a text that is forced upon it, the inverse of its perplexity, in 0..1; 0 when one is impossible (-Infinity).
 * The generator delivers the logarithms; prediction and references are not looked at and may be left out.
 * Throws INVALID_ARGUMENT without log-probabilities or where one is NaN or positive.
 */
export const logProb: Metric = {
  ...comparing,
  name: 'log_prob',
  kind: 'similarity',
  needsReferences: false,
  needsLogProbs: true,
  score: (_prediction, _reference, { logProbs }) => {
    checkLogProbs(logProbs, 1);
    let sum = 0;
    for (const value of logProbs) sum += value / logProbs.length; // divided first, so that the sum never overflows
    return Math.exp(sum);
  },
};

/** Throws INVALID_ARGUMENT naming `field` unless it holds `least`..65,536 numbers, none of them NaN or above 0. */
export function checkLogProbs(logProbs: readonly number[], least: number, field = 'log_probs'): void {
  if (logProbs.length < least || logProbs.length > maxLogProbs) {
    throw A2sfError.invalid(field, `must hold ${least}..${maxLogProbs} entries, holds ${logProbs.length}`);
  }
  for (const [i, value] of logProbs.entries()) {
    if (!(value <= 0)) throw A2sfError.invalid(`${field}[${i}]`, `is ${value}, must be at most 0`);
  }
}
