import type { CompressionMethod } from '../compression-method.js';
import { validateWhole } from './parameters.js';

const defaultSinks = 4;

/**
 * kept = the first `sinks` positions and the last (budget - sinks): rank[k] = k.
 *
 * StreamingLLM, attention sinks (Xiao et al., arXiv 2309.17453). Its paper numbers the cache anew, 0..budget-1; here kept
 * keys keep the phase of their original position, and the window does not slide on during decode. By default `sinks` is 4,
 * or fewer where the budget is so small that `recent`, one position at least, would not fit beside them.
 */
export const streamingLlm: CompressionMethod = {
  name: 'streaming-llm',
  parameters: ['sinks'],
  validate: ({ sinks }, path) => validateWhole(sinks, 0, 2 ** 32 - 1, `${path}sinks`),
  defaultRecent: () => 0, // the ranking fills the budget from the end anyway
  sinks: ({ sinks }, budget, recent) => sinks ?? Math.min(defaultSinks, budget - Math.max(recent, 1)),
  rank: (_request, n) => {
    const row = new Float32Array(n).map((_, k) => k); // exact in float32 up to 2^24 positions
    return (_layer, _scores, kvHeads) => {
      const ranks = new Float32Array(kvHeads * n);
      for (let head = 0; head < kvHeads; head++) ranks.set(row, head * n);
      return ranks;
    };
  },
};
