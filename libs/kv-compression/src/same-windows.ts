/** Windows of one prompt, those that rank its keys alike together. */
export interface WindowGroups {
  /** One window per group, [n] float32 each, in the order of first appearance. */
  readonly windows: readonly Float32Array[];
  /** Per given window the index of its group; undefined where none was given. */
  readonly groupOf: readonly (number | undefined)[];
}

/**
 * Groups windows that rank the keys of a prompt alike, so that each group is scored once.
 *
 * Two windows are the same when every float32 weight is equal, or when both are constant at a power of two: a = 0 is 0.5
 * everywhere whatever b is, and a saturated window (a large `a` with b beyond n) is 1 everywhere; they differ by an exact
 * factor, which moves no rank. In the default space this leaves fewer than sixty for any n. No window may fall with q.
 */
export function groupSameWindows(given: readonly (Float32Array | undefined)[]): WindowGroups {
  const windows: Float32Array[] = [];
  const groupOf = given.map((window) => {
    if (window === undefined) return undefined;
    const known = windows.findIndex((other) => sameRanking(window, other));
    return known >= 0 ? known : windows.push(window) - 1;
  });
  return { windows, groupOf };
}

function sameRanking(x: Float32Array, y: Float32Array): boolean {
  if (isFlat(x) && isFlat(y)) return true;
  for (let q = 0; q < x.length; q++) if (x[q] !== y[q]) return false;
  return true;
}

/** Equal ends mean a constant window, since none falls. */
function isFlat(window: Float32Array): boolean {
  const first = window[0]!;
  return first === window.at(-1) && Number.isInteger(Math.log2(first));
}
