import type { WeighedOutcome } from './outcome.js';

/** What one outcome adds to an estimate. */
export interface Term {
  readonly numerator: number;
  readonly denominator: number;
}

/** An estimate of V = E[sum_a pi(a|x) r_a], the mean reward of the target policy: sum of numerators / sum of denominators. */
export interface Estimator {
  readonly name: string;
  /** Undefined: the outcome lacks what the estimator reads. */
  term(outcome: WeighedOutcome): Term | undefined;
  /** Whether the estimate rests on the weights: its sample is then as large as the effective sample size. */
  readonly isWeighted: boolean;
  /**
   * Bound on |E[estimate with w replaced by min(w, M)] - V| for rewards and predictions in 0..1, given the excess
   * d = E[max(w - M, 0)] in 0..1.
   */
  clippingBias(excess: number): number;
}
