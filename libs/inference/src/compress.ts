import { A2sfError, isA2sfError } from '@a2sf/errors';
import { selectPositions, type ResolvedBudget } from '@a2sf/kv-compression';
import type { CacheShape } from './kv-cache.js';

/** Kept positions of one window: layers x [G] x kept, ascending. */
export type KeptPositions = readonly (readonly Int32Array[])[];

/**
 * Selects per layer and KV head. DATA_LOSS when the model computed a score that is not a number.
 * @param scores per layer [G, A, n].
 * @param window index in 0..A-1.
 */
export function selectKept(
  shape: CacheShape,
  scores: readonly Float32Array[],
  windows: number,
  window: number,
  n: number,
  { budget, recent }: ResolvedBudget,
): KeptPositions {
  return scores.map((layer, l) =>
    Array.from({ length: shape.kvHeads }, (_, head) => {
      const start = (head * windows + window) * n;
      try {
        return selectPositions(layer.subarray(start, start + n), n, budget, recent);
      } catch (cause) {
        if (!isA2sfError(cause) || cause.field !== 'scores') throw cause;
        const message = `the model computed scores that are no numbers in layer ${l}; its weights may be damaged`;
        throw new A2sfError('DATA_LOSS', message, { reason: 'not-finite', cause });
      }
    }),
  );
}

/** True when both keep the same positions everywhere. */
export function sameKept(x: KeptPositions, y: KeptPositions): boolean {
  return x.every((layer, l) => layer.every((head, h) => Buffer.compare(bytes(head), bytes(y[l]![h]!)) === 0));
}

const bytes = (positions: Int32Array): Uint8Array =>
  new Uint8Array(positions.buffer, positions.byteOffset, positions.byteLength);
