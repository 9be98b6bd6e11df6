import type { Action } from './action-space.js';
import { sigmoidWindow } from './window.js';

/** Actions of one prompt length, those with the same window together. */
export interface WindowGroups {
  /** One window per group, [n] float32 each, in the order of first appearance. */
  readonly windows: readonly Float32Array[];
  /** Per group the index of its first action, ascending. */
  readonly representatives: readonly number[];
  /** Per action the index of its group. */
  readonly groupOf: readonly number[];
}

/**
 * Groups actions that rank the keys of an n-token prompt alike, so that each group is scored once.
 *
 * Two windows are the same when every float32 weight is equal, or when both are constant at a power of two: a = 0 is 0.5
 * everywhere whatever b is, and a saturated window (a large `a` with b beyond n) is 1 everywhere; they differ by an exact
 * factor, which moves no rank. In the default space this leaves fewer than sixty for any n.
 */
export function groupSameWindows(n: number, actions: readonly Action[]): WindowGroups {
  const windows: Float32Array[] = [];
  const representatives: number[] = [];
  const groupOf = actions.map((action, index) => {
    const window = sigmoidWindow(n, action);
    const group = windows.findIndex((other) => sameRanking(window, other));
    if (group >= 0) return group;
    representatives.push(index);
    return windows.push(window) - 1;
  });
  return { windows, representatives, groupOf };
}

function sameRanking(x: Float32Array, y: Float32Array): boolean {
  if (isFlat(x) && isFlat(y)) return true;
  for (let q = 0; q < x.length; q++) if (x[q] !== y[q]) return false;
  return true;
}

/** Windows rise with q, so equal ends mean a constant window. */
function isFlat(window: Float32Array): boolean {
  const first = window[0]!;
  return first === window.at(-1) && Number.isInteger(Math.log2(first));
}
