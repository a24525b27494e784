/** Whether a time grows worse than linearly with a size. */

import type { Point } from "./plot.ts";

/** How much steeper than all before the last stretch of a curve may be before its growth counts as worse than linear. */
export const MOST_STEEPER = 1.6;

/**
 * How many times as much a unit costs in the last stretch of the curve as in all stretches before; 1 is linear, below 1 is
 * better. Undefined with fewer than three points, and where nothing grew before.
 */
export function steeper(points: readonly Point[]): number | undefined {
  const [first, ...rest] = points;
  const [middle, last] = rest.slice(-2);
  if (first === undefined || middle === undefined || last === undefined) return undefined;
  const before = slope(first, middle);
  return before > 0 ? slope(middle, last) / before : undefined;
}

/** Milliseconds that each further one takes, over the whole curve. */
export function cost_ms(points: readonly Point[]): number {
  const [first, last] = [points[0], points.at(-1)];
  return first === undefined || last === undefined ? Number.NaN : slope(first, last) * 1000;
}

function slope(from: Point, to: Point): number {
  return (to.seconds - from.seconds) / (to.x - from.x);
}
