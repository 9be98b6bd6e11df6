import type { Estimator } from './estimator.js';

/**
 * DR = (1/n) sum_i [ sum_a pi(a|x_i) q(x_i, a) + w_i (r_i - q(x_i, a_i)) ] (Dudik, Langford, Li 2011). Unbiased where the
 * propensities are right, however wrong q is, as long as q was not fitted to these rewards; the better q, the smaller its
 * variance. Clipped: |bias| <= E[max(w - M, 0) |r - q|] <= d.
 */
export const doublyRobust: Estimator = {
  name: 'dr',
  isWeighted: true,
  term: ({ weight, reward, predicted, expected }) => ({
    numerator: expected + weight * (reward - predicted),
    denominator: 1,
  }),
  clippingBias: (excess) => excess,
};
