import type { Estimator } from './estimator.js';

/**
 * SNIPS = sum_i w_i r_i / sum_i w_i (Swaminathan, Joachims 2015). Never outside the rewards that were seen, biased by
 * O(1/n), as a rule of far lower variance than IPS. Clipped: E[min(w, M)] = 1 - d and E[min(w, M) r] is in V - d .. V, so
 * that the limit is in (V - d)/(1 - d) .. V/(1 - d): |bias| <= d/(1 - d).
 */
export const selfNormalised: Estimator = {
  name: 'snips',
  isWeighted: true,
  term: ({ weight, reward }) => ({ numerator: weight * reward, denominator: weight }),
  clippingBias: (excess) => (excess < 0.5 ? excess / (1 - excess) : 1),
};
