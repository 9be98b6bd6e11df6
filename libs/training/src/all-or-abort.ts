import { setMaxListeners } from 'node:events';

/**
 * Runs all tasks at once and gives their results in order. The first failure aborts the signal that the others were
 * given and, when all have ended, is what the promise rejects with; so does `signal` with its own reason.
 */
export async function allOrAbort<T, R>(
  items: readonly T[],
  task: (item: T, signal: AbortSignal, index: number) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  signal?.throwIfAborted();
  const failed = new AbortController();
  const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  // Every task listens for its end; Node warns of more than ten listeners unless it is told that they are meant.
  setMaxListeners(0, either);
  const results: R[] = Array.from({ length: items.length });
  await Promise.all(
    items.map(async (item, i) => {
      try {
        results[i] = await task(item, either, i);
      } catch (error) {
        // Only the first abort counts: what the others fail with afterwards is its consequence.
        failed.abort(error);
      }
    }),
  );
  signal?.throwIfAborted();
  failed.signal.throwIfAborted();
  return results;
}
