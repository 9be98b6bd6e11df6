import type { CompressionMethod } from '../compression-method.js';

/**
 * rank[g, k] = (1 / G) * sum over the G KV heads h of P_h[n-1, k], the same for every g, so that all heads of a layer keep
 * the same positions; recent = 1.
 *
 * TOVA (Oren et al., arXiv 2401.06104). The paper drops the lowest key at every step once the cache is full; here the last
 * prompt token ranks the whole prompt once. It may even drop the newest key, which `recent` prevents here. The mean over the
 * query heads is taken of their sums per KV head: a constant factor, which moves no rank.
 */
export const tova: CompressionMethod = {
  name: 'tova',
  parameters: [],
  defaultRecent: () => 1,
  window: (_, n) => new Float32Array(n).fill(1, n - 1),
  rank: (_request, n) => (_layer, scores, kvHeads) => {
    const ranks = new Float32Array(kvHeads * n);
    for (let k = 0; k < n; k++) {
      let sum = 0;
      for (let head = 0; head < kvHeads; head++) sum += scores[head * n + k]!;
      for (let head = 0; head < kvHeads; head++) ranks[head * n + k] = sum / kvHeads;
    }
    return ranks;
  },
};
