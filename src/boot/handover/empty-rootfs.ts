/** Empties the rootfs, so that the memory of the initramfs is free for the real system. */

import {
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  type DirEntry,
  type Fd,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  type Stat,
  type Syscalls,
  isErrno,
} from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { Log } from "../log.ts";

/**
 * Deletes everything below the directory `path`, which is on the filesystem `dev` ("major:minor") or nothing happens: by
 * file descriptor, never into another mount and never through a link. What can't be deleted costs memory and
 * is logged; it stops nothing.
 */
export function emptyRootfs(sys: Syscalls, log: Log, path: string, dev: string): void {
  try {
    const fd = sys.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    try {
      const root = sys.fstat(fd);
      if (root.dev !== dev) throw new UserError(`${path} is another filesystem (${root.dev})`);
      emptyDirectory(sys, log, fd, root);
    } finally {
      sys.close(fd);
    }
  } catch (error) {
    log.warning(`the rootfs was not emptied whole, its memory stays in use: ${describe(error)}.`);
  }
}

function emptyDirectory(sys: Syscalls, log: Log, dir: Fd, root: Stat): void {
  const all: DirEntry[] = [];
  for (let entries = sys.getdents(dir); entries.length > 0; entries = sys.getdents(dir)) all.push(...entries);
  for (const { name, type } of all) {
    try {
      if (type === "directory" || type === "unknown") remove(sys, log, dir, name, root);
      else removeFile(sys, dir, name, root);
    } catch (error) {
      log.warning(`${text(name)} stays in the rootfs and in memory: ${describe(error)}.`);
    }
  }
}

function remove(sys: Syscalls, log: Log, dir: Fd, name: string, root: Stat): void {
  const stat = sys.stat(dir, name, AT_SYMLINK_NOFOLLOW);
  if (!sameMount(stat, root)) return;
  if (stat.type !== "directory") return removeFile(sys, dir, name, root);
  const child = sys.openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  try {
    // Looked at again by descriptor: what was opened is what is emptied.
    if (sameMount(sys.fstat(child), root)) emptyDirectory(sys, log, child, root);
  } finally {
    sys.close(child);
  }
  try {
    sys.unlinkat(dir, name, AT_REMOVEDIR);
  } catch (error) {
    // A mount point further down keeps its directories, the new root's above all; what else stayed was told.
    if (!isErrno(error, "ENOTEMPTY")) throw error;
  }
}

// There are hundreds of files, and the kernel deletes no name that something is mounted over: asked first, it is asked once.
function removeFile(sys: Syscalls, dir: Fd, name: string, root: Stat): void {
  try {
    sys.unlinkat(dir, name, 0);
  } catch (error) {
    if (!isErrno(error, "EBUSY") || sameMount(sys.stat(dir, name, AT_SYMLINK_NOFOLLOW), root)) throw error;
  }
}

// The mount id sees a bind mount of the same filesystem, which the device number does not.
function sameMount(a: Stat, b: Stat): boolean {
  return a.dev === b.dev && a.mountId === b.mountId;
}
