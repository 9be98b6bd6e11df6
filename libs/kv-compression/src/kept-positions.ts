import { A2sfError } from '@a2sf/errors';

/**
 * The kept positions of one row, ascending, [min(n, kept)]: all of 0..n-1 when n <= kept, else the `forced` ones and, of the
 * others, the (kept - |forced|) with the largest ranks. Equal ranks at the cut: the lower position wins.
 *
 * O(n): the cut is found by quickselect instead of a sort, then one pass collects the positions in order.
 * Throws INVALID_ARGUMENT for a row shorter than n, kept < 1, a NaN among the ranks that compete, or forced positions that
 * are not ascending, distinct, in 0..n-1 and at most `kept`.
 */
export function selectKeptPositions(
  ranks: Float32Array | Float64Array, // [n]
  n: number,
  kept: number,
  forced: Int32Array, // ascending, distinct
): Int32Array {
  if (!Number.isSafeInteger(n) || n < 1) throw A2sfError.invalid('n', `must be a whole number of at least 1, got ${n}`);
  if (!Number.isSafeInteger(kept) || kept < 1) {
    throw A2sfError.invalid('kept', `must be a whole number of at least 1, got ${kept}`);
  }
  if (n <= kept) return Int32Array.from({ length: n }, (_, position) => position);
  if (n > ranks.length) throw A2sfError.invalid('n', `must be at most ${ranks.length} (the ranks given), got ${n}`);
  validateForced(forced, n, kept);

  const places = kept - forced.length; // to be won by rank
  if (places === 0) return forced.slice();
  const contested = ranks.slice(0, n - forced.length);
  for (let i = 0, start = 0; i <= forced.length; i++) {
    const end = forced[i] ?? n; // the free run start..end-1 before the i-th forced position, or behind the last one
    for (let k = start; k < end; k++) {
      const rank = ranks[k]!;
      if (Number.isNaN(rank)) throw A2sfError.invalid('scores', `is NaN at position ${k}`);
      contested[k - i] = rank;
    }
    start = end + 1;
  }
  const cut = kthLargest(contested, places);
  let tiesLeft = places; // places for ranks equal to the cut, lowest positions first
  for (let i = 0; i < contested.length; i++) if (contested[i]! > cut) tiesLeft--;
  const positions = new Int32Array(kept);
  for (let i = 0, start = 0, count = 0; i <= forced.length; i++) {
    const end = forced[i] ?? n;
    for (let k = start; k < end; k++) {
      const rank = ranks[k]!;
      if (rank > cut || (rank === cut && tiesLeft-- > 0)) positions[count++] = k;
    }
    if (end < n) positions[count++] = end;
    start = end + 1;
  }
  return positions;
}

function validateForced(forced: Int32Array, n: number, kept: number): void {
  if (forced.length > kept) {
    throw A2sfError.invalid('forced', `must be at most ${kept} positions (those kept), got ${forced.length}`);
  }
  for (let i = 0; i < forced.length; i++) {
    const position = forced[i]!;
    if (position < (i === 0 ? 0 : forced[i - 1]! + 1) || position >= n) {
      throw A2sfError.invalid('forced', `must be ascending, distinct and in 0..${n - 1}, got ${position} at ${i}`);
    }
  }
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
