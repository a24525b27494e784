/** Trying again what a server, or the way to it, refuses for now: no event of the kernel tells when that ends. */

import type { Boot } from "../context.ts";
import { waitInTheOpen } from "../wait.ts";

/** How an attempt ended. */
export type Outcome<T> =
  { readonly kind: "done"; readonly value: T } | { readonly kind: "refused"; readonly why: Error } | Passing;

/** It may end otherwise later. `why` fits behind "which": "refuses connections (ECONNREFUSED)". */
export interface Passing {
  readonly kind: "passing";
  readonly why: string;
}

export interface Attempts<T> {
  /** Never rejects. It gets how long it may take. */
  readonly attempt: (left_ms: number | undefined) => Promise<Outcome<T>>;
  /** What is waited for: "the NFS server 10.0.2.2". */
  readonly what: string;
  /** What to throw when the deadline has come; `why` is of the last attempt that ended, `effort` "within 12 s, in 4 tries". */
  readonly gaveUp: (why: string | undefined, effort: string) => Error;
  /** Undefined tries for ever. */
  readonly timeout_ms: number | undefined;
  /** An attempt speaks for itself while it runs. */
  readonly isSpoken?: boolean;
  /** An attempt has come to its good end when nobody waited for it any more. */
  readonly takeBack?: () => void;
}

/**
 * The value of the first attempt that succeeds.
 * @throws what an attempt was refused with, or gaveUp()
 */
export async function keepTrying<T>(boot: Boot, attempts: Attempts<T>): Promise<T> {
  const { attempt, what, timeout_ms } = attempts;
  const deadline = timeout_ms === undefined ? undefined : performance.now() + timeout_ms;
  const state: State<T> = { end: undefined, why: undefined, rests: false, isOver: false, waiters: [] };
  let tries = 0;
  const run = async (): Promise<void> => {
    while (state.end === undefined && !state.isOver) {
      state.rests = false;
      tries += 1;
      const outcome = await attempt(
        deadline === undefined ? undefined : Math.max(deadline - performance.now(), 1),
      );
      if (state.isOver && outcome.kind === "done") return attempts.takeBack?.();
      if (outcome.kind !== "passing") state.end = outcome;
      else state.why = outcome.why;
      state.rests = true;
      for (const waiter of state.waiters.splice(0)) waiter();
      if (state.end === undefined) await Bun.sleep(PAUSE_MS);
    }
  };
  void run();
  const ended = await waitInTheOpen(boot, {
    look: async () => state.end,
    changed: () => new Promise<void>((resolve) => state.waiters.push(resolve)),
    describe: async () =>
      attempts.isSpoken === true && !state.rests
        ? undefined
        : `waiting for ${what}${state.why === undefined ? "" : `, which ${state.why} so far`}`,
    timeout_ms,
  });
  state.isOver = true;
  if (ended === undefined) {
    const count = tries === 1 ? "one try" : `${tries} tries`;
    throw attempts.gaveUp(state.why, `within ${(timeout_ms ?? 0) / 1000} s, in ${count}`);
  }
  if (ended.kind === "refused") throw ended.why;
  return ended.value;
}

interface State<T> {
  end: Exclude<Outcome<T>, Passing> | undefined;
  /** Of the last attempt. */
  why: string | undefined;
  /** Between two attempts. */
  rests: boolean;
  /** Nobody waits any more. */
  isOver: boolean;
  readonly waiters: (() => void)[];
}

const PAUSE_MS = 2000;
