/** What must be true before the early userspace may be given up. */

import { AT_FDCWD, type Stat, SysError, type Syscalls, isErrno, readText } from "../../../syscalls/index.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { describeFileType } from "../mount/filetype.ts";
import type { Log } from "../log.ts";
import { mountPoints } from "./moves.ts";
import { findInit } from "./newinit.ts";
import { type OldRootSettings, oldRootPlace, startedFrom } from "./oldroot.ts";

/** What `/` is now: the rootfs, to be emptied, or a real filesystem, to be kept below the new root. */
export type OldRoot =
  | { readonly kind: "rootfs"; readonly dev: string }
  /** `putOld` is the directory of the new root that takes it; without one it is unmounted. */
  | { readonly kind: "filesystem"; readonly putOld: string | undefined };

/**
 * Changes nothing.
 * @throws UserError with the first thing that stands against the hand-over
 */
export function checkHandOver(
  sys: Syscalls,
  log: Log,
  newRoot: string,
  askedInit: string | undefined,
  settings: OldRootSettings,
): { init: string; oldRoot: OldRoot } {
  try {
    const oldRoot = checkRoots(sys, log, newRoot, settings);
    return { init: findInit(sys, log, newRoot, askedInit), oldRoot };
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new UserError(`The hand-over to ${newRoot} can't be prepared: ${describe(error)}.`);
  }
}

function checkRoots(sys: Syscalls, log: Log, newRoot: string, settings: OldRootSettings): OldRoot {
  if (sys.getpid() !== 1)
    throw new UserError(
      "Only process 1 can hand over to another init.",
      "Start rdinit as /init of an initramfs.",
    );
  const root = sys.stat(AT_FDCWD, "/");
  const target = statIfThere(sys, newRoot);
  if (target === undefined) throw new UserError(`The new root ${newRoot} does not exist.`);
  if (target.type !== "directory")
    throw new UserError(`The new root ${newRoot} is ${describeFileType(target.type)}, not a directory.`);
  // Only a mount as a whole can be moved: not a directory of one, where a link may have led.
  if (target.dev === root.dev || !mountPoints(readText(sys, "/proc/self/mountinfo")).includes(newRoot))
    throw new UserError(`The new root ${newRoot} is not a mounted filesystem.`);
  return startedFrom(sys) === "filesystem"
    ? { kind: "filesystem", putOld: oldRootPlace(sys, log, newRoot, settings) }
    : checkRootfs(sys, root);
}

// Emptying is only for a filesystem in memory that holds this very program: anything else is someone's data.
function checkRootfs(sys: Syscalls, root: Stat): OldRoot {
  const self = statIfThere(sys, "/proc/self/exe");
  if (self?.dev !== root.dev)
    throw new UserError(
      "/ is a filesystem in memory, but not the one that rdinit was started from.",
      "It is not emptied, so the hand-over can't be made.",
    );
  return { kind: "rootfs", dev: root.dev };
}

function statIfThere(sys: Syscalls, path: string): Stat | undefined {
  try {
    return sys.stat(AT_FDCWD, path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw new UserError(`${path} can't be examined: ${describe(error)}.`);
  }
}
