/** Takes the kernel's filesystems along into the new root. */

import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  MNT_DETACH,
  MS_MOVE,
  type Syscalls,
  isErrno,
  readText,
} from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { keptMounts } from "../live/places.ts";
import type { Log } from "../log.ts";
import { baseMounts } from "../mount/mounts.ts";

/** What became of the mounts of the early userspace. */
export interface Moves {
  /** Those that are below the new root now: "/proc". */
  readonly moved: readonly string[];
  /** What is mounted below those and must not stay: "/dev/pts", but not what holds up a live root. The latest first. */
  readonly below: readonly string[];
  /** All others outside of the new root, which stayed where they were. The latest first. */
  readonly left: readonly string[];
}

/**
 * Moves /proc, /sys, /dev and /run below `newRoot` where it has the directory. Nothing is lost by it yet:
 * `putBack` undoes it.
 * @throws UserError when one can't be moved; those that were moved are back in their place then
 */
export function moveKernelMounts(sys: Syscalls, log: Log, newRoot: string): Moves {
  const { mounted, wanted } = plan(sys, newRoot);
  const moved: string[] = [];
  try {
    for (const path of wanted) {
      sys.mount(path, `${newRoot}${path}`, "", MS_MOVE, "");
      moved.push(path);
    }
  } catch (error) {
    putBack(sys, log, newRoot, moved);
    throw new UserError(`The kernel's filesystems can't be moved into the new root: ${describe(error)}.`);
  }
  const rest = without(mounted, moved).filter((path) => path !== "/" && !isBelow(path, newRoot));
  // The latest first: a mount may lie on another.
  const latestFirst = rest.toReversed();
  const isBelowMoved = (path: string): boolean =>
    moved.some((target) => path !== target && isBelow(path, target));
  const isKept = (path: string): boolean =>
    isBelowMoved(path) && keptMounts.some((kept) => isBelow(path, kept));
  return {
    moved,
    below: latestFirst.filter((path) => isBelowMoved(path) && !isKept(path)),
    left: latestFirst.filter((path) => !isBelowMoved(path)),
  };
}

/** Moves what was moved to where it was. What stays behind, the next try mounts anew (mounts.ts). */
export function putBack(sys: Syscalls, log: Log, newRoot: string, moved: readonly string[]): void {
  for (const path of moved.toReversed()) {
    try {
      sys.mount(`${newRoot}${path}`, path, "", MS_MOVE, "");
    } catch (error) {
      log.warning(`${path} could not be moved back from the new root: ${describe(error)}.`);
    }
  }
}

/** Takes mounts out of the tree, each with all below it; what still uses them keeps them until it ends. */
export function detachAll(sys: Syscalls, log: Log, paths: readonly string[]): void {
  for (const path of paths) {
    try {
      sys.umount(path, MNT_DETACH);
    } catch (error) {
      log.warning(`${text(path)} stays mounted out of sight: ${describe(error)}.`);
    }
  }
}

/** The mount points of a mountinfo file (proc(5)) in its order, with their octal escapes undone. */
export function mountPoints(mountinfo: string): string[] {
  const paths: string[] = [];
  for (const line of mountinfo.split("\n")) {
    const path = line.split(" ")[4];
    if (path !== undefined)
      paths.push(
        path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))),
      );
  }
  return paths;
}

function plan(sys: Syscalls, newRoot: string): { mounted: string[]; wanted: string[] } {
  try {
    const mounted = mountPoints(readText(sys, "/proc/self/mountinfo"));
    const wanted = baseMounts
      .map((mount) => mount.target)
      .filter((path) => mounted.includes(path) && isDirectory(sys, `${newRoot}${path}`));
    return { mounted, wanted };
  } catch (error) {
    throw new UserError(`It can't be told which mounts the new root takes over: ${describe(error)}.`);
  }
}

// A path stands in the list once for each of the mounts that lie on each other there; the uppermost was moved.
function without(paths: readonly string[], moved: readonly string[]): string[] {
  const rest = [...paths];
  for (const path of moved) rest.splice(rest.lastIndexOf(path), 1);
  return rest;
}

function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

function isDirectory(sys: Syscalls, path: string): boolean {
  try {
    return sys.stat(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW).type === "directory";
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}
