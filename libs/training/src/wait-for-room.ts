import { setTimeout as delay } from 'node:timers/promises';
import { isA2sfError, type A2sfError } from '@a2sf/errors';

/** Does one write into a run's folder; may wait and try it again, so that a write that failed must have left nothing. */
export type Writing = <T>(write: () => Promise<T>) => Promise<T>;

/** How a full disk is waited for. */
export interface RoomOptions {
  /** Ends the waiting: the write then fails as it did. */
  readonly signal: AbortSignal;
  /** Between two attempts. Default 5 s. */
  readonly everyMs?: number;
  /** Told when writes begin to wait, with what the first of them met, and when none waits any more. Must not throw. */
  readonly onWait?: (error: A2sfError) => void;
  readonly onGoOn?: () => void;
  /** Told of a write that is given up because the run is to end. Must not throw. */
  readonly onGiveUp?: (error: A2sfError) => void;
}

/** True for a write that failed for want of room: of the disk, or of a quota. */
export function isDiskFull(error: unknown): error is A2sfError {
  return isA2sfError(error) && error.reason === 'disk-full';
}

/**
 * Writes that wait for room: one that meets a full disk is tried again until it succeeds, so that the run pauses and goes
 * on. Any other failure is thrown at once.
 */
export function waitForRoom({ signal, everyMs = 5000, onWait, onGoOn, onGiveUp }: RoomOptions): Writing {
  let waiting = 0;
  return async (write) => {
    let waits = false;
    try {
      for (;;) {
        try {
          return await write();
        } catch (error) {
          if (!isDiskFull(error)) throw error;
          if (signal.aborted) {
            onGiveUp?.(error);
            throw error;
          }
          if (!waits && ++waiting === 1) onWait?.(error);
          waits = true;
          await delay(everyMs, undefined, { signal }).catch(() => undefined); // the end of the run: one last attempt
        }
      }
    } finally {
      if (waits && --waiting === 0) onGoOn?.();
    }
  };
}
