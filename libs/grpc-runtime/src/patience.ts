import { setTimeout as delay } from 'node:timers/promises';
import { type A2sfError, isA2sfError } from '@a2sf/errors';
import { Backoff } from './backoff.js';

/** How long a server that is away is waited for. */
export interface Patience {
  /**
   * Milliseconds, from the first refusal on, in which a call that ends UNAVAILABLE is made again: longer than a server
   * takes to restart. The call must be safe to repeat; all unary ones of the suite are. Default 0: only the channel tries
   * again, for less than a second.
   */
  readonly patienceMs?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** Told of each refusal that is waited out, and whether it is the call's first; must not throw. */
  readonly onAway?: (error: A2sfError, first: boolean) => void;
  /** Told when a call that was waited for has ended, well or not; must not throw. */
  readonly onBack?: () => void;
}

/**
 * Runs a call again, after pauses of 100 ms doubled up to 5 s, while it ends UNAVAILABLE and there is patience left.
 * Rejects with what the last attempt rejected with, or with the signal's reason.
 */
export async function withPatience<T>(
  call: () => Promise<T>,
  { patienceMs = 0, signal, onAway, onBack }: Patience,
): Promise<T> {
  const backoff = new Backoff();
  let end: number | undefined;
  let away = false;
  try {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!isA2sfError(error) || error.code !== 'UNAVAILABLE' || signal?.aborted === true) throw error;
        end ??= performance.now() + patienceMs;
        const left = end - performance.now();
        if (left <= 0) throw error;
        onAway?.(error, !away);
        away = true;
        const pause = Math.min(backoff.next(), left);
        await delay(pause, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
        signal?.throwIfAborted();
      }
    }
  } finally {
    if (away) onBack?.();
  }
}
