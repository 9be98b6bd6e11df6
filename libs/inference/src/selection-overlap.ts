import type { KeptPositions } from './kv-cache.js';

/**
 * How much two selections x, y of a prompt of n tokens share: the mean, over the given layers and their KV heads, of the
 * Jaccard index |X ∩ Y| / |X ∪ Y| of the kept positions, 0..1. undefined = all n positions. O(kept) per head.
 */
export function selectionOverlap(
  x: KeptPositions | undefined,
  y: KeptPositions | undefined,
  n: number,
  layers: readonly number[],
): number {
  if (x === y) return 1;
  const some = (x ?? y)!;
  const overlaps = layers.flatMap((layer) =>
    some[layer]!.map((positions, head) => {
      const other = x === undefined || y === undefined ? undefined : y[layer]![head]!;
      return other === undefined ? positions.length / n : jaccard(positions, other);
    }),
  );
  return overlaps.reduce((sum, overlap) => sum + overlap, 0) / overlaps.length;
}

/** Of two ascending lists without repetition, not both empty. */
function jaccard(x: Int32Array, y: Int32Array): number {
  let shared = 0;
  for (let i = 0, j = 0; i < x.length && j < y.length;) {
    const [p, q] = [x[i]!, y[j]!];
    if (p === q) shared++;
    if (p <= q) i++;
    if (q <= p) j++;
  }
  return shared / (x.length + y.length - shared);
}
