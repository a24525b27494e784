/** What every step of the boot is given: nothing of this is global. */

import type { RebootAction, Syscalls } from "../../syscalls/index.ts";
import type { Log } from "./log.ts";
import type { HookPoint } from "./points.ts";
import type { Reaper } from "./children/reaper.ts";
import type { Timing } from "./timing/timing.ts";
import type { Word } from "./cmdline/cmdline.ts";

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

/** What the kernel command line asks of the early userspace (options.ts). */
export interface Options {
  /** The root device as written, but for a "live:" in front, or undefined when the command line names none. */
  readonly root: string | undefined;
  /** Filesystem types to try, in order; empty means: as the superblock says. */
  readonly rootTypes: readonly string[];
  readonly rootFlags: string;
  readonly readOnly: boolean;
  /** How long to wait for the root device; undefined waits for ever. */
  readonly deviceTimeout_ms: number | undefined;
  /** Pause before the root is looked for. */
  readonly rootDelay_ms: number;
  /** How long a hook may take; undefined is for ever. */
  readonly hookTimeout_ms: number | undefined;
  /** The init that was asked for; undefined means the kernel's own list. */
  readonly init: string | undefined;
  readonly quiet: boolean;
  readonly debug: boolean;
  /** Each step is shown, although `quiet` hides it. */
  readonly info: boolean;
  /** Every system call is logged. */
  readonly trace: boolean;
  /** A rescue shell may be started when the boot fails; undefined unless someone has guessed at a passphrase. */
  readonly shell: boolean | undefined;
  /** The points of the boot at which a shell is started before it goes on. */
  readonly breakAt: readonly HookPoint[];
  /** What is done when the boot fails and there is no shell; undefined does as panic= says. */
  readonly emergency: RebootAction | undefined;
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
