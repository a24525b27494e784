/** What every step of the boot is given: nothing of this is global. */

import type { Syscalls } from "../../syscalls/index.ts";
import type { Log } from "./log.ts";
import type { Options } from "./options.ts";
import type { Reaper } from "./reaper.ts";
import type { Timing } from "./timing/timing.ts";
import type { Word } from "./cmdline.ts";

export interface Boot {
  readonly sys: Syscalls;
  readonly log: Log;
  readonly options: Options;
  /** What the image and the command line say, for those who read their own parameters from it (packed.ts). */
  readonly words: readonly Word[];
  /** What the kernel gave process 1, to be handed on as it was. */
  readonly legacy: Legacy;
  /** Tells the children that the runtime waits for from the orphans that are left to us. */
  readonly reaper: Reaper;
  /** Keeps when what was done, when rd.timing asks for it. */
  readonly timing: Timing;
}

/** What the kernel gave process 1: byte strings, and the limit that the runtime changed. */
export interface Legacy {
  /** The words behind argv[0]. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** RLIMIT_NOFILE before the runtime raised it. */
  readonly openFiles: { readonly soft: bigint; readonly hard: bigint };
  /** CLOCK_MONOTONIC at the first instruction, which the stub notes; undefined for a start without it. */
  readonly started_ns?: bigint | undefined;
}

/** Where the real root is mounted before it becomes `/`. */
export const newRoot = "/sysroot";
