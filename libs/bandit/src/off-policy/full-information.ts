import type { Estimator } from './estimator.js';

/** (1/n) sum_i sum_a pi(a|x_i) r_ia over the outcomes whose rewards of all actions were seen: no weights, no model. */
export const fullInformation: Estimator = {
  name: 'exact',
  isWeighted: false,
  term: ({ exact }) => (exact === undefined ? undefined : { numerator: exact, denominator: 1 }),
  clippingBias: () => 0,
};

/** (1/n) sum_i r_i: the mean reward of the policies that made the log, to compare with. */
export const loggedReward: Estimator = {
  name: 'logged',
  isWeighted: false,
  term: ({ reward }) => ({ numerator: reward, denominator: 1 }),
  clippingBias: () => 0,
};
