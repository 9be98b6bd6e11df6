import type { Estimator } from './estimator.js';

/**
 * IPS = (1/n) sum_i w_i r_i (Horvitz, Thompson 1952). Unbiased where the logging policy gives each action of the target a
 * positive probability; its variance grows with that of the weights. Clipped: 0 <= V - E <= E[max(w - M, 0) r] <= d.
 */
export const inversePropensity: Estimator = {
  name: 'ips',
  isWeighted: true,
  term: ({ weight, reward }) => ({ numerator: weight * reward, denominator: 1 }),
  clippingBias: (excess) => excess,
};
