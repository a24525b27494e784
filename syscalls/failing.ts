/** Faults for tests: a Syscalls of which one call fails, and one that remembers its calls. */

import type { ErrnoCode } from "./errno.ts";
import { type Call, intercept } from "./intercept.ts";
import { refusalOf } from "./methods.ts";
import type { Syscalls } from "./types.ts";

/**
 * The same Syscalls, whose `nth` call fails without being made.
 * @param nth counted from 1, all methods together, in the order in which they are called
 */
export function failing(sys: Syscalls, nth: number, code: ErrnoCode): Syscalls {
  let count = 0;
  return intercept(sys, ({ name, args }, proceed) => {
    count += 1;
    if (count !== nth) return proceed();
    const error = refusalOf(name, args, code);
    if (name.startsWith("slow.")) return Promise.reject(error);
    throw error;
  });
}

/** A Syscalls with the list of its calls so far, in order, those that failed included. */
export interface Recorded {
  readonly sys: Syscalls;
  readonly calls: readonly Call[];
}

/** Remembers every call that goes to `sys`. */
export function recorded(sys: Syscalls): Recorded {
  const calls: Call[] = [];
  const recording = intercept(sys, (call, proceed) => {
    calls.push(call);
    return proceed();
  });
  return { sys: recording, calls };
}
