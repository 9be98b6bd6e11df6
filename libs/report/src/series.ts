/** A point of a line chart. */
export type Point = readonly [x: number, y: number];

/** Points a line chart shows at most. */
export const maxPoints = 1000;

/** s_i = mean of y over the last w points up to i: a trailing mean, which looks at nothing that came later. */
export function trailingMean(points: readonly Point[], window: number): Point[] {
  let sum = 0;
  return points.map(([x, y], i) => {
    sum += y;
    if (i >= window) sum -= points[i - window]![1];
    return [x, sum / Math.min(i + 1, window)];
  });
}

/** At most `limit` items, each for as many neighbours: those of a group of equal size, joined by `merge`. */
export function thin<T>(items: readonly T[], limit: number, merge: (group: readonly T[]) => T): T[] {
  if (items.length <= limit) return [...items];
  const size = Math.ceil(items.length / limit);
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => merge(items.slice(i * size, (i + 1) * size)));
}

/** The point that stands for a group: the last x, the mean y. */
export function meanPoint(group: readonly Point[]): Point {
  return [group.at(-1)![0], group.reduce((sum, [, y]) => sum + y, 0) / group.length];
}

/** A number as a chart needs it: four significant digits keep the page small. */
export function short(value: number): number {
  return Number(value.toPrecision(5));
}
