/** Seconds as a parameter has them. */

/**
 * Milliseconds; a sentence when `value` is no number of seconds, which may have three digits behind the point. More than a
 * day is a day: that bounds what a timer can take, and what anyone can mean.
 */
export function readSeconds(value: string): number | string {
  if (!/^\d{1,9}(\.\d{1,3})?$/.test(value)) return "it is not a number of seconds.";
  return Math.round(Math.min(Number(value), longest_s) * 1000);
}

const longest_s = 86_400;
