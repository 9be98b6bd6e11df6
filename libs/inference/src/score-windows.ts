/** Windows to score keys with, equal ones once. */
export interface ScoreWindows {
  /** [n] float32 each, in the order of first appearance. */
  readonly windows: readonly Float32Array[];
  /** Per given window the index of the one that stands for it; undefined where none was given. */
  readonly indexOf: readonly (number | undefined)[];
}

/**
 * Groups windows that rank the keys alike, so that each group is scored once: those with equal float32 weights, and those
 * that are constant at a power of two. a = 0 is 0.5 everywhere whatever b is, a saturated window is 1 everywhere; they
 * differ by an exact factor, which moves no rank.
 */
export function scoreWindows(given: readonly (Float32Array | undefined)[]): ScoreWindows {
  const windows: Float32Array[] = [];
  const indexOf = given.map((window) => {
    if (window === undefined) return undefined;
    const known = windows.findIndex((other) => sameRanking(window, other));
    return known >= 0 ? known : windows.push(window) - 1;
  });
  return { windows, indexOf };
}

function sameRanking(x: Float32Array, y: Float32Array): boolean {
  if (isFlat(x) && isFlat(y)) return true;
  for (let q = 0; q < x.length; q++) if (x[q] !== y[q]) return false;
  return true;
}

/** No window falls with q, so equal ends mean a constant one. */
function isFlat(window: Float32Array): boolean {
  const first = window[0]!;
  return first > 0 && first === window.at(-1) && Number.isInteger(Math.log2(first));
}
