import { bootstrapMean } from '@a2sf/bandit';
import { Random } from '@a2sf/random';

/**
 * Mean of paired differences, its bootstrap 95 % interval, and the two-sided p value of a sign-flip permutation test
 * (Fisher 1935): the share of sign patterns, of 20,000 drawn ones and the one that was seen, whose mean is as far from 0.
 */
export function pairedTest(differences, draws = 20_000) {
  const random = new Random(1);
  const seen = Math.abs(differences.reduce((sum, value) => sum + value, 0));
  let asFar = 1;
  for (let n = 0; n < draws; n++) {
    let sum = 0;
    for (const value of differences) sum += random.uniform() < 0.5 ? value : -value;
    if (Math.abs(sum) >= seen - 1e-12) asFar++;
  }
  return { ...bootstrapMean(differences, { seed: 1 }), p: asFar / (draws + 1) };
}

/** Student's t, 97.5 %, by degrees of freedom from 1. */
const t975 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/** Mean over the seeds and half of its 95 % interval, by Student's t. */
export function overSeeds(values) {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, half: 0 };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { mean, half: (t975[n - 2] ?? 1.96) * Math.sqrt(variance / n) };
}
