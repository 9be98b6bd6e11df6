import { A2sfError } from '@a2sf/errors';
import type { CompressionMethod } from '../compression-method.js';
import type { CompressionRequest } from '../compression-request.js';
import { validateWhole } from './parameters.js';

const mostPooling = 1023; // bounds the work of a rank, n * pooling

const observationOf = ({ observationWindow = 32 }: CompressionRequest): number => observationWindow;

/**
 * s[k] = sum over the last W queries q of P[q, k]; rank[k] = (1 / p) * sum over |j - k| <= (p - 1) / 2 of s[j], with
 * s[j] = 0 outside the prompt and at forced positions; W = observation_window, p = pooling; recent = min(W, budget).
 *
 * SnapKV (Li et al., arXiv 2404.14469): avg_pool1d with padding p // 2 over the positions before the window, which here are
 * the positions that compete, so that neither `recent` nor kept spans lend their scores to neighbours. Scores are summed over
 * a KV head's query heads, where the paper ranks each query head for itself. With a budget of at most W the window alone
 * fills it and the last `budget` positions are kept, unless a smaller `recent` is given; the paper's code cannot run then.
 */
export const snapkv: CompressionMethod = {
  name: 'snapkv',
  parameters: ['observationWindow', 'pooling'],
  validate: ({ observationWindow, pooling }, path) => {
    validateWhole(observationWindow, 1, 2 ** 32 - 1, `${path}observation_window`);
    validateWhole(pooling, 1, mostPooling, `${path}pooling`);
    if (pooling !== undefined && pooling % 2 === 0) {
      throw A2sfError.invalid(`${path}pooling`, `must be odd, got ${pooling}`);
    }
  },
  defaultRecent: (request, budget) => Math.min(observationOf(request), budget),
  window: (request, n) => new Float32Array(n).fill(1, Math.max(0, n - observationOf(request))),
  rank: ({ pooling = 5 }, n, forced) => {
    const isForced = new Uint8Array(n);
    for (const position of forced) isForced[position] = 1;
    const reach = (pooling - 1) / 2;
    return (_, scores, kvHeads) => {
      const ranks = new Float32Array(kvHeads * n);
      for (let head = 0; head < kvHeads; head++) {
        const row = scores.subarray(head * n, (head + 1) * n);
        for (let k = 0; k < n; k++) {
          let sum = 0;
          const last = Math.min(n - 1, k + reach);
          for (let j = Math.max(0, k - reach); j <= last; j++) if (isForced[j] === 0) sum += row[j]!;
          ranks[head * n + k] = sum / pooling;
        }
      }
      return ranks;
    };
  },
};
