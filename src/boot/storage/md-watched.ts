/** An array on its way to being started, and how long its missing members are waited for. */

import { type MdArray, judge } from "./md-arrays.ts";

/** What is known of an array since its first member appeared. */
export interface Watched {
  array: MdArray;
  /** When it is started degraded, on the clock of performance.now(). */
  readonly until_ms: number;
  readonly timer: ReturnType<typeof setTimeout> | undefined;
  /** No more members are waited for. */
  overdue: boolean;
  state: "waiting" | "starting" | "started";
  /** The members of the last try, and whether it insisted: it is not made again as it was. */
  tried: string;
  /** Why that failed: a clause. */
  failure: string | undefined;
  /** The names of the members that it was started with, and of those that were told to be late. */
  readonly met: Set<string>;
}

/** Begins to wait for the members of an array; `giveUp` is called when that has lasted `timeout_ms`, if it is given. */
export function watch(array: MdArray, timeout_ms: number | undefined, giveUp: () => void): Watched {
  return {
    array,
    until_ms: performance.now() + (timeout_ms ?? 0),
    timer: timeout_ms === undefined ? undefined : setTimeout(giveUp, timeout_ms),
    overdue: false,
    state: "waiting",
    tried: "",
    failure: undefined,
    met: new Set(),
  };
}

/** True while it may be started degraded at the end of the wait. */
export function mayRunDegraded({ timer, overdue, array }: Watched): boolean {
  return timer !== undefined && !overdue && judge(array) === "wait";
}
