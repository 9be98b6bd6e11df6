import { A2sfError } from '@a2sf/errors';
import type { BootstrapOptions } from '../intervals.js';
import { doublyRobust } from './doubly-robust.js';
import type { Estimator } from './estimator.js';
import { fullInformation, loggedReward } from './full-information.js';
import { inversePropensity } from './inverse-propensity.js';
import type { WeighedOutcome } from './outcome.js';
import { ratioInterval } from './ratio-interval.js';
import { selfNormalised } from './self-normalised.js';

/** In the order of the report. */
const estimators: readonly Estimator[] = [
  loggedReward,
  inversePropensity,
  selfNormalised,
  doublyRobust,
  fullInformation,
];

/** An effective sample below it is told: a percentile interval of so few is too narrow. */
export const smallSample = 30;

/** How a policy is evaluated. */
export interface OffPolicyOptions extends BootstrapOptions {
  /** Weights above it are set to it, > 0. Default: none is. */
  readonly clip?: number;
}

/** What one estimator says of the target policy's mean reward. */
export interface Estimate {
  /** `logged` (the mean of the log itself), `ips`, `snips`, `dr` or `exact`. */
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Outcomes it rests on. */
  readonly n: number;
  /** (sum w)^2 / sum w^2: as many equally weighted outcomes would tell as much; n where no weights are used. */
  readonly effectiveSampleSize: number;
  /** Clipping has moved the estimate by at most so much, itself estimated; 0 without. */
  readonly clippingBias: number;
}

/** What a log says of a policy that did not make it. */
export interface OffPolicyReport {
  readonly n: number;
  readonly effectiveSampleSize: number;
  /** Before clipping; its expectation is 1 where every action of the target could have been logged. */
  readonly meanWeight: number;
  readonly maxWeight: number;
  readonly clippedWeights: number;
  /** Those that could be computed. */
  readonly estimates: readonly Estimate[];
  /** Why the estimates should not be trusted, sentences without a full stop. */
  readonly warnings: readonly string[];
}

/** (sum w)^2 / sum w^2 (Kish 1965), in 0..n: n for equal weights, 0 where all are 0. */
export function effectiveSampleSize(weights: ArrayLike<number>): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]!;
    squares += weights[i]! ** 2;
  }
  return squares === 0 ? 0 : sum ** 2 / squares;
}

/**
 * All estimates of the target policy's mean reward, with 95 % percentile bootstrap intervals. The outcomes are taken as
 * independent, and neither the target policy nor its predictions as learned from them. Throws INVALID_ARGUMENT for no
 * outcomes or options out of range.
 */
export function evaluateOffPolicy(
  outcomes: readonly WeighedOutcome[],
  options: OffPolicyOptions = {},
): OffPolicyReport {
  requireOptions(outcomes, options);
  const { clip = Infinity } = options;
  const weights = Float64Array.from(outcomes, ({ weight }) => weight);
  const n = outcomes.length;
  const meanWeight = mean(weights);
  const excess = Math.min(mean(weights.map((weight) => Math.max(weight - clip, 0))), 1);
  const clipped = outcomes.map((outcome) => ({ ...outcome, weight: Math.min(outcome.weight, clip) }));
  const sample = effectiveSampleSize(clipped.map(({ weight }) => weight));
  const estimates: Estimate[] = [];
  for (const estimator of estimators) {
    const terms = clipped.map((outcome) => estimator.term(outcome)).filter((term) => term !== undefined);
    const interval = ratioInterval(terms, options);
    if (interval === undefined) continue;
    const { mean: value, low, high } = interval;
    estimates.push({
      name: estimator.name,
      value,
      low,
      high,
      n: terms.length,
      effectiveSampleSize: estimator.isWeighted ? sample : terms.length,
      clippingBias: estimator.clippingBias(excess),
    });
  }
  return {
    n,
    effectiveSampleSize: sample,
    meanWeight,
    maxWeight: weights.reduce((most, weight) => Math.max(most, weight), 0),
    clippedWeights: weights.reduce((count, weight) => count + Number(weight > clip), 0),
    estimates,
    warnings: [...sampleWarnings(n, sample), ...supportWarnings(weights, meanWeight)],
  };
}

function sampleWarnings(n: number, sample: number): string[] {
  if (sample === 0) return ['no logged decision took an action that the policy takes: the log says nothing of it'];
  if (sample >= smallSample) return [];
  return [
    `the effective sample size is ${sample.toPrecision(3)} of ${n}: the intervals are too narrow below ${smallSample}`,
  ];
}

/**
 * E[w] = 1 where p(a|x) > 0 wherever pi(a|x) > 0. A mean over three standard errors below 1 tells that the log never tries
 * some of the target's actions, and one as far above 1 that propensities are too small.
 */
function supportWarnings(weights: Float64Array, meanWeight: number): string[] {
  const n = weights.length;
  const variance = mean(weights.map((weight) => (weight - meanWeight) ** 2));
  const distance = Math.abs(meanWeight - 1);
  if (n < smallSample || meanWeight === 0 || distance <= 3 * Math.sqrt(variance / n) + 1e-6) return [];
  const cause =
    meanWeight < 1
      ? 'the log hardly tries some of its actions (log with epsilon above 0); ips and dr are biased'
      : 'the logged propensities are too small';
  return [`the weights average ${meanWeight.toPrecision(3)} instead of 1: ${cause}`];
}

function requireOptions(outcomes: readonly WeighedOutcome[], options: OffPolicyOptions): void {
  const { clip = Infinity, resamples = 2000, confidence = 0.95 } = options;
  if (outcomes.length === 0) throw A2sfError.invalid('outcomes', 'must hold at least one decision with its reward');
  if (!(clip > 0)) throw A2sfError.invalid('clip', 'must be above 0');
  if (!Number.isInteger(resamples) || resamples < 1)
    throw A2sfError.invalid('resamples', 'must be a whole number >= 1');
  if (!(confidence > 0 && confidence < 1)) throw A2sfError.invalid('confidence', 'must be between 0 and 1');
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
