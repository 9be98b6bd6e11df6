import { Random } from '@a2sf/random';
import { quantile, type BootstrapOptions, type MeanInterval } from '../intervals.js';
import type { Term } from './estimator.js';

/**
 * Percentile bootstrap (Efron 1979) of sum numerators / sum denominators: whole terms are resampled, which keeps the
 * dependence of the two sums. Denominators are >= 0; resamples in which they are all 0 have no ratio and are left out.
 * Undefined where the terms themselves have none. With denominators of 1 it is the bootstrap of a mean.
 */
export function ratioInterval(terms: readonly Term[], options: BootstrapOptions = {}): MeanInterval | undefined {
  const { seed = 0, resamples = 2000, confidence = 0.95 } = options;
  const n = terms.length;
  const numerators = Float64Array.from(terms, ({ numerator }) => numerator);
  const denominators = Float64Array.from(terms, ({ denominator }) => denominator);
  const all = sum(numerators) / sum(denominators);
  if (!Number.isFinite(all)) return undefined;
  const random = new Random(seed);
  const ratios = new Float64Array(resamples);
  let defined = 0;
  for (let b = 0; b < resamples; b++) {
    let numerator = 0;
    let denominator = 0;
    for (let i = 0; i < n; i++) {
      const at = random.below(n);
      numerator += numerators[at]!;
      denominator += denominators[at]!;
    }
    if (denominator > 0) ratios[defined++] = numerator / denominator;
  }
  const sorted = ratios.subarray(0, defined).sort();
  if (defined === 0) return undefined;
  return { mean: all, low: quantile(sorted, (1 - confidence) / 2), high: quantile(sorted, (1 + confidence) / 2) };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
