import { A2sfError } from '@a2sf/errors';

/**
 * The kept positions of one layer and KV head, ascending, [min(n, budget)]:
 * all of 0..n-1 when n <= budget, else the (budget - recent) largest scores among 0..n-recent-1 and the last `recent`.
 * Equal scores at the cut: the lower position wins.
 *
 * O(n): the cut is found by quickselect instead of a sort, then one pass collects the positions in order.
 * `recent` is taken as it is (see `resolveBudget` for the default rule).
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
  if (n <= budget) return Int32Array.from({ length: n }, (_, position) => position);

  const kept = new Int32Array(budget);
  const top = budget - recent; // places to be won by score
  const contested = n - recent; // positions that compete for them
  let count = 0;
  if (top > 0) {
    const copy = scores.slice(0, contested);
    for (let k = 0; k < contested; k++) {
      if (Number.isNaN(copy[k])) throw A2sfError.invalid('scores', `is NaN at position ${k}`);
    }
    const cut = kthLargest(copy, top);
    let above = 0;
    for (let k = 0; k < contested; k++) if (scores[k]! > cut) above++;
    let tiesLeft = top - above; // places for scores equal to the cut, lowest positions first
    for (let k = 0; k < contested && count < top; k++) {
      const score = scores[k]!;
      if (score > cut || (score === cut && tiesLeft-- > 0)) kept[count++] = k;
    }
  }
  for (let k = contested; k < n; k++) kept[count++] = k;
  return kept;
}

/**
 * The k-th largest value (k from 1) by quickselect with Hoare's partition, which is linear on ties too; reorders `values`.
 * Inputs that defeat the median-of-three pivot are sorted after 4 log2(n) rounds, so that the worst case is n log n.
 */
function kthLargest(values: Float32Array | Float64Array, k: number): number {
  const target = k - 1; // index in descending order
  let left = 0;
  let right = values.length - 1;
  let rounds = 4 * Math.ceil(Math.log2(values.length + 1));
  while (left < right) {
    if (rounds-- === 0) {
      values.subarray(left, right + 1).sort();
      return values[right - (target - left)]!;
    }
    const pivot = median(values[left]!, values[(left + right) >> 1]!, values[right]!);
    let i = left;
    let j = right;
    while (i <= j) {
      while (values[i]! > pivot) i++;
      while (values[j]! < pivot) j--;
      if (i <= j) {
        const swap = values[i]!;
        values[i++] = values[j]!;
        values[j--] = swap;
      }
    }
    if (target <= j) right = j;
    else if (target >= i) left = i;
    else break; // between the parts: equal to the pivot
  }
  return values[target]!;
}

function median(x: number, y: number, z: number): number {
  return Math.max(Math.min(x, y), Math.min(Math.max(x, y), z));
}
