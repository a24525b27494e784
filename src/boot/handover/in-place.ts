/**
 * A whole system in the initramfs itself: its init takes over where it is. No other root is mounted, and nothing is
 * moved or deleted; process 1 is what it would be had the kernel started that init, with the kernel's filesystems
 * mounted.
 */

import { AT_FDCWD, type Stat, type Syscalls, isErrno } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import { reapRest, stopOthers } from "./handover.ts";
import { hasHooks } from "../hooks.ts";
import { restoreProcess } from "../legacy.ts";
import { findInit } from "./newinit.ts";
import { startedFrom } from "./oldroot.ts";
import { readResumeSettings } from "../resume.ts";
import { openConsole } from "./stdio.ts";
import { saveTiming } from "../timing/save.ts";
import type { Layers } from "../storage/layer.ts";

/** What makes an image a whole system. */
export const ownInit = "/sbin/init";

/**
 * The init of the image itself, to hand over to when no root is named: init=, or else /sbin/init. Undefined when there
 * is none, when it is rdinit itself, and when `/` is no initramfs but a boot partition (whose init is for its rescue).
 * To be asked before any rescue shell is started, which may make a /sbin/init.
 */
export function findOwnInit({ sys, options }: Boot): string | undefined {
  const path = options.init ?? ownInit;
  if (options.root !== undefined || !path.startsWith("/") || startedFrom(sys) === "filesystem")
    return undefined;
  const own = statIfThere(sys, path);
  const self = statIfThere(sys, "/proc/self/exe");
  if (own === undefined || (own.dev === self?.dev && own.ino === self.ino)) return undefined;
  return path;
}

/** True when a whole system in memory wants disks all the same: somebody has named some. Else nobody is asked for a passphrase. */
export function needsDisks(boot: Boot, layers: Pick<Layers, "lacks">): boolean {
  return (
    layers.lacks().length > 0 ||
    hasHooks(boot, "mount") ||
    readResumeSettings(boot.words).settings.device !== undefined
  );
}

/**
 * Hands the machine to the init at `path` of the initramfs. Does not return.
 * @throws UserError when it can't be done; the early userspace is still whole then
 */
export async function handOverInPlace(boot: Boot, path: string): Promise<never> {
  const { sys, log, legacy } = boot;
  if (sys.getpid() !== 1)
    throw new UserError(
      "Only process 1 can hand over to another init.",
      "Start rdinit as /init of an initramfs.",
    );
  const init = findInit(sys, log, "/", path);
  await boot.timing.step("ending other processes", () => stopOthers(boot));
  log.info(`handing over to ${text(init)} of the initramfs itself, as no root is named`);
  openConsole(sys, log);
  restoreProcess(sys, log, legacy);
  reapRest(sys, log);
  saveTiming(boot, `handing over to ${text(init)}`);
  try {
    sys.chdir("/");
    return sys.execve(init, [init, ...legacy.args], legacy.env);
  } catch (error) {
    throw new UserError(`${text(init)} of the initramfs can't be started: ${describe(error)}.`);
  }
}

function statIfThere(sys: Syscalls, path: string): Stat | undefined {
  try {
    return sys.stat(AT_FDCWD, path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES")) return undefined;
    throw error;
  }
}
