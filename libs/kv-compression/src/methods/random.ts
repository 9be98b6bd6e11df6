import { Random } from '@a2sf/random';
import { defaultRecent } from '../budget.js';
import type { CompressionMethod } from '../compression-method.js';
import { validateWhole } from './parameters.js';

/**
 * rank[g, k] ~ uniform over 0..2^24-1, drawn in the order of k from the stream seed * 2^32 + layer * 2^16 + g: the control
 * that any ranking has to beat. Each layer and head draws its own, and k's draw depends on no other prompt position.
 *
 * 24 bits are what float32 holds exactly; ties, one pair in 2^24, go to the lower position. recent = int(budget * 0.125),
 * as for `sigmoid`, so that the two differ in nothing but the ranking.
 */
export const random: CompressionMethod = {
  name: 'random',
  parameters: ['seed'],
  validate: ({ seed }, path) => validateWhole(seed, 0, 2 ** 32 - 1, `${path}seed`),
  defaultRecent: (_, budget) => defaultRecent(budget),
  rank:
    ({ seed = 0 }, n) =>
    (layer, _, kvHeads) => {
      const ranks = new Float32Array(kvHeads * n);
      for (let head = 0; head < kvHeads; head++) {
        const stream = new Random((BigInt(seed) << 32n) + (BigInt(layer) << 16n) + BigInt(head));
        for (let k = 0; k < n; k++) ranks[head * n + k] = stream.uint32() >>> 8;
      }
      return ranks;
    },
};
