/** Takes the kernel's filesystems along into the new root. */

import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  MNT_DETACH,
  MS_MOVE,
  type Syscalls,
  isErrno,
  readText,
} from "../../syscalls/index.ts";
import { text } from "../lib/bytes.ts";
import { UserError, describe } from "../lib/errors.ts";
import type { Log } from "./log.ts";
import { baseMounts } from "./mounts.ts";

/**
 * Moves /proc, /sys, /dev and /run below `newRoot` where it has the directory, and detaches them where
 * it has not. All other mounts outside of `newRoot` are detached: nothing may dangle behind it.
 * @throws UserError when one can't be moved; those that were moved are back in their place then
 */
export function moveKernelMounts(sys: Syscalls, log: Log, newRoot: string): void {
  const mounted = mountPoints(readText(sys, "/proc/self/mountinfo"));
  const kept = baseMounts.map((mount) => mount.target);
  const others = mounted.filter((path) => path !== "/" && !kept.includes(path) && !isBelow(path, newRoot));
  // The latest first: a mount may lie on another.
  for (const path of others.toReversed()) detach(sys, log, path);

  const present = kept.filter((path) => mounted.includes(path));
  const moved: string[] = [];
  for (const path of present) {
    if (!isDirectory(sys, `${newRoot}${path}`)) continue;
    try {
      sys.mount(path, `${newRoot}${path}`, "", MS_MOVE, "");
      moved.push(path);
    } catch (error) {
      for (const back of moved.toReversed()) sys.mount(`${newRoot}${back}`, back, "", MS_MOVE, "");
      throw new UserError(`${path} can't be moved into the new root: ${describe(error)}.`);
    }
  }
  for (const path of present) if (!moved.includes(path)) detach(sys, log, path);
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

function detach(sys: Syscalls, log: Log, path: string): void {
  try {
    sys.umount(path, MNT_DETACH);
  } catch (error) {
    log.warning(`${text(path)} stays mounted out of sight: ${describe(error)}.`);
  }
}
