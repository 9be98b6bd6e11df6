import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Milliseconds until memory is given back, and until that is done again. The engine gives back the room for young objects,
 * which grows to 32 MB while a batch or an upload is read, only when it has seen little allocation for five seconds.
 */
const waits = { first: 1000, again: 6500 };
type Collect = (options?: { readonly type: 'minor' }) => void;
let collect: Collect | undefined;
let isDue = false;
let repetition: NodeJS.Timeout | undefined;

/**
 * Gives back what a large operation left behind, a second from now and again when all has been still for a while: a batch
 * of experiences or a checkpoint on its way is megabytes of short-lived buffers, which the engine does not count as pressure
 * on its heap and would keep for minutes. Of the calling thread alone, at most once a second; takes some ten milliseconds.
 */
export function releaseMemorySoon(): void {
  clearTimeout(repetition);
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    release();
    repetition = setTimeout(release, waits.again).unref();
  }, waits.first).unref();
}

/** Bytes of a stream between two calls of `releaseShortLived`. */
export const releaseBytes = 8 << 20;

/** Gives back short-lived buffers at once, in a few milliseconds; for a stream that would pile them up while it runs. */
export function releaseShortLived(): void {
  release({ type: 'minor' });
}

function release(options?: { readonly type: 'minor' }): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as Collect;
  }
  if (options === undefined) collect();
  else collect(options);
}
