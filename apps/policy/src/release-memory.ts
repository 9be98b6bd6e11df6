import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const waitMs = 1000;
let collect: (() => void) | undefined;
let isDue = false;

/**
 * Gives back what a large operation left behind, a second from now: a batch of experiences or a checkpoint on its way is
 * megabytes of short-lived buffers, which the engine does not count as pressure on its heap and would keep for minutes.
 * Of the calling thread alone, at most once a second; takes some ten milliseconds.
 */
export function releaseMemorySoon(): void {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    if (collect === undefined) {
      setFlagsFromString('--expose-gc');
      collect = runInNewContext('gc') as () => void;
    }
    collect();
  }, waitMs).unref();
}
