import { setMaxListeners } from 'node:events';

/**
 * Works on items at the same time and delivers the results in the order of the items, one after the other. An item is begun
 * once all but `window - 1` items before it are delivered, so that results that wait for an earlier one are bounded.
 *
 * The first failure in that order ends it: what was delivered stays, what is at work is abandoned by the signal that `work`
 * is given, and waited for. Rejects with that failure, or with the signal's reason.
 */
export async function inOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  window: number,
  work: (item: T, signal: AbortSignal) => Promise<R>,
  deliver: (result: R) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  setMaxListeners(0, either); // every work of the window listens
  const begun: Promise<R>[] = [];
  try {
    for await (const item of items) {
      either.throwIfAborted();
      const result = work(item, either);
      result.catch(() => undefined); // it is told when its turn comes
      begun.push(result);
      if (begun.length === window) await deliver(await begun.shift()!);
    }
    while (begun.length > 0) {
      await deliver(await begun.shift()!);
      either.throwIfAborted();
    }
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(begun);
    throw error;
  }
}
