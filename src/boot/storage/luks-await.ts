/** Waiting for what an encrypted volume needs besides: the disk with its key, the chip that opens it, or some time. */

import type { BlockDevices } from "../devices/blockdevices.ts";

export interface Await<T> {
  readonly devices: Pick<BlockDevices, "changed">;
  /** A value ends the wait. */
  readonly look: () => Promise<T | undefined>;
  /** Undefined waits for ever. */
  readonly timeout_ms: number | undefined;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Is told what is waited for, a clause, and undefined when that is over. */
  readonly waiting: (clause: string | undefined) => void;
  readonly clause: string;
}

/** Looks at each change of the devices until there is a value; undefined when the deadline or the signal came first. */
export async function awaitDevice<T>(wait: Await<T>): Promise<T | undefined> {
  const { devices, look, timeout_ms, signal, waiting, clause } = wait;
  const over = Promise.withResolvers<void>();
  let isOver = false;
  const end = (): void => {
    isOver = true;
    over.resolve();
  };
  const timer = timeout_ms === undefined ? undefined : setTimeout(end, timeout_ms);
  signal.addEventListener("abort", end);
  waiting(clause);
  try {
    for (;;) {
      // Asked for before the look: what changes during it is not missed.
      const changed = devices.changed();
      const value = await look();
      if (value !== undefined) return value;
      if (isOver || signal.aborted) return undefined;
      await Promise.race([changed, over.promise]);
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    waiting(undefined);
  }
}

/** Sleeps, or until the signal. */
export async function pause(pause_ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const over = Promise.withResolvers<void>();
  const end = (): void => over.resolve();
  const timer = setTimeout(end, pause_ms);
  signal.addEventListener("abort", end);
  await over.promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
}
