import { A2sfError } from '@a2sf/errors';
import { Random } from '@a2sf/random';

/** A mean with the interval that holds it with the asked-for confidence. */
export interface MeanInterval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** How an interval is computed. */
export interface BootstrapOptions {
  /** Seed of the resampling; the same seed and values give the same interval. Default 0. */
  readonly seed?: number;
  /** Resamples drawn. Default 2000. */
  readonly resamples?: number;
  /** Confidence in (0, 1). Default 0.95. */
  readonly confidence?: number;
}

/**
 * Percentile bootstrap of a mean (Efron 1979): the means of B resamples of size n, drawn with replacement, sorted; the
 * interval is their quantiles (1 - c)/2 and (1 + c)/2, linearly interpolated. Throws INVALID_ARGUMENT for no values or a
 * value that is not finite.
 */
export function bootstrapMean(values: readonly number[], options: BootstrapOptions = {}): MeanInterval {
  const { seed = 0, resamples = 2000, confidence = 0.95 } = options;
  if (values.length === 0) throw A2sfError.invalid('values', 'must hold at least one number');
  if (!values.every(Number.isFinite)) throw A2sfError.invalid('values', 'must be finite numbers');
  if (!Number.isInteger(resamples) || resamples < 1)
    throw A2sfError.invalid('resamples', 'must be a whole number >= 1');
  if (!(confidence > 0 && confidence < 1)) throw A2sfError.invalid('confidence', 'must be between 0 and 1');
  const random = new Random(seed);
  const n = values.length;
  const means = new Float64Array(resamples);
  for (let b = 0; b < resamples; b++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[random.below(n)]!;
    means[b] = sum / n;
  }
  means.sort();
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  return { mean, low: quantile(means, (1 - confidence) / 2), high: quantile(means, (1 + confidence) / 2) };
}

/** The q-quantile of sorted numbers, between the two nearest order statistics at q (n - 1). */
export function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}
