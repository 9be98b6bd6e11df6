import type { CompressionMethod } from '../compression-method.js';

/**
 * rank[k] = sum over q of P[q, k], w(q) = 1; recent = int(budget / 2): heavy hitters and recent positions half each.
 *
 * H2O (Zhang et al., arXiv 2306.14048). The paper evicts one key per generated token by the sum so far; here the whole
 * prompt is ranked once after prefill, and decode evicts nothing. The ranking is that of `sigmoid` with a = 0.
 */
export const h2o: CompressionMethod = {
  name: 'h2o',
  parameters: [],
  defaultRecent: (_, budget) => Math.floor(budget / 2),
  window: (_, n) => new Float32Array(n).fill(1),
};
