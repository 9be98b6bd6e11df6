import { A2sfError } from '@a2sf/errors';
import { selectKeptPositions } from './kept-positions.js';

/**
 * The kept positions of one layer and KV head, ascending, [min(n, budget)]:
 * all of 0..n-1 when n <= budget, else the (budget - recent) largest scores among 0..n-recent-1 and the last `recent`.
 * Equal scores at the cut: the lower position wins.
 *
 * O(n), see `selectKeptPositions`. `recent` is taken as it is (see `resolveBudget` for the default rule).
 * Throws INVALID_ARGUMENT for a row shorter than n, budget < 1, recent outside 0..budget, or a NaN among the scores.
 */
export function selectPositions(
  scores: Float32Array | Float64Array, // [n]
  n: number,
  budget: number,
  recent: number,
): Int32Array {
  if (!Number.isSafeInteger(n) || n < 1 || n > scores.length) {
    throw A2sfError.invalid('n', `must be a whole number in 1..${scores.length} (the scores given), got ${n}`);
  }
  if (!Number.isSafeInteger(budget) || budget < 1) {
    throw A2sfError.invalid('budget', `must be a whole number of at least 1, got ${budget}`);
  }
  if (!Number.isSafeInteger(recent) || recent < 0 || recent > budget) {
    throw A2sfError.invalid('recent', `must be a whole number in 0..${budget} (the budget), got ${recent}`);
  }
  // With n <= budget everything is kept and nothing need be forced.
  const forced = Int32Array.from({ length: n <= budget ? 0 : recent }, (_, i) => n - recent + i);
  return selectKeptPositions(scores, n, budget, forced);
}
