import { Random } from '@a2sf/random';
import { A2sfError } from '@a2sf/errors';

/** An endless order of rows that can be read at any position. */
export interface PromptOrder {
  /** The row at a position 0, 1, 2, ...; every row comes once per `count` positions. */
  at(position: number): number;
}

/**
 * Shuffles rows 0..count-1 anew for each epoch: row(position) = permutation(seed, floor(position / count))[position mod count].
 *
 * A permutation depends on the seed and the number of its epoch alone, so that a resumed run reads on exactly where it
 * stopped. Memory: the permutation last read. Throws INVALID_ARGUMENT for an empty set, a seed or a position that is not
 * a whole number of at least 0.
 */
export function promptOrder(seed: number, count: number): PromptOrder {
  requireWhole('seed', seed, 0);
  requireWhole('count', count, 1);
  const random = new Random(seed);
  const key = (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
  let epoch = -1;
  let permutation: number[] = [];
  return {
    at(position) {
      requireWhole('position', position, 0);
      const wanted = Math.floor(position / count);
      if (wanted !== epoch) {
        permutation = new Random(key + BigInt(wanted)).shuffle(Array.from({ length: count }, (_, row) => row));
        epoch = wanted;
      }
      return permutation[position % count]!;
    },
  };
}

function requireWhole(field: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw A2sfError.invalid(field, `must be a whole number of at least ${least}, got ${value}`);
  }
}
