/** What must be true before the early userspace may be given up. */

import {
  AT_FDCWD,
  RAMFS_MAGIC,
  type Stat,
  SysError,
  type Syscalls,
  TMPFS_MAGIC,
  isErrno,
  readText,
} from "../../syscalls/index.ts";
import { UserError, describe } from "../lib/errors.ts";
import { describeFileType } from "./filetype.ts";
import type { Log } from "./log.ts";
import { mountPoints } from "./moves.ts";
import { findInit } from "./newinit.ts";

/** What `/` is now: the rootfs, to be emptied, or a real filesystem, to be kept below the new root. */
export type OldRoot =
  | { readonly kind: "rootfs"; readonly dev: string }
  /** `putOld` is the directory of the new root that takes it; without one it is unmounted. */
  | { readonly kind: "filesystem"; readonly putOld: string | undefined };

/** Where an old root that is a real filesystem goes, when the new root has the directory. */
const keptAt = "/boot";

/**
 * Changes nothing.
 * @throws UserError with the first thing that stands against the hand-over
 */
export function checkHandOver(
  sys: Syscalls,
  log: Log,
  newRoot: string,
  askedInit: string | undefined,
): { init: string; oldRoot: OldRoot } {
  try {
    const oldRoot = checkRoots(sys, newRoot);
    return { init: findInit(sys, log, newRoot, askedInit), oldRoot };
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new UserError(`The hand-over to ${newRoot} can't be prepared: ${describe(error)}.`);
  }
}

function checkRoots(sys: Syscalls, newRoot: string): OldRoot {
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
  return judgeOldRoot(sys, root, newRoot);
}

// Emptying is only for a filesystem in memory that holds this very program: anything else is someone's data.
function judgeOldRoot(sys: Syscalls, root: Stat, newRoot: string): OldRoot {
  const { type } = sys.statfs("/");
  if (type !== TMPFS_MAGIC && type !== RAMFS_MAGIC) {
    const hasPlace = statIfThere(sys, `${newRoot}${keptAt}`)?.type === "directory";
    return { kind: "filesystem", putOld: hasPlace ? keptAt : undefined };
  }
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
