import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Gives back what a large operation left behind, now: a checkpoint on its way in or out is twice the policy in short-lived
 * buffers, which the engine does not count as pressure on its heap and would keep for minutes. Takes some ten milliseconds.
 */
export function releaseMemory(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
