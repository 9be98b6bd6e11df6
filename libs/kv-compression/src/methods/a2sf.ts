import { A2sfError } from '@a2sf/errors';
import { defaultRecent } from '../budget.js';
import type { CompressionMethod } from '../compression-method.js';

/**
 * rank[k] = sum over q of w(q) * P[q, k], w(q) = f^(n-1-q), f = forgetting; recent = int(budget * 0.125).
 *
 * A2SF, accumulative attention with a forgetting factor (Jo, Shin, arXiv 2407.20485), the fixed window that `sigmoid` learns
 * instead. The paper forgets and evicts token by token; here the prompt is ranked once. f = 1 ranks as `h2o`. Weights are
 * rounded to float32: those of queries too old for it are 0, and the last query always weighs 1.
 */
export const a2sf: CompressionMethod = {
  name: 'a2sf',
  parameters: ['forgetting'],
  validate: ({ forgetting = 1 }, path) => {
    if (!(forgetting > 0 && forgetting <= 1)) {
      throw A2sfError.invalid(`${path}forgetting`, `must be above 0 and at most 1, got ${forgetting}`);
    }
  },
  defaultRecent: (_, budget) => defaultRecent(budget),
  window: ({ forgetting = 0.99 }, n) => new Float32Array(n).map((_, q) => forgetting ** (n - 1 - q)),
};
