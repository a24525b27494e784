/** Deletes a directory with all that is in it. */

import {
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  type Fd,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  type Syscalls,
  exists,
} from "../../../syscalls/index.ts";

/**
 * Deletes a directory and everything below it, if it is there; never through a link, and never into another mount.
 * @throws SysError at the first that can't be deleted, EBUSY for a mount point
 */
export function removeTree(sys: Syscalls, path: string): void {
  if (!exists(sys, path)) return;
  const fd = sys.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  try {
    emptyOpen(sys, fd, sys.fstat(fd).dev);
  } finally {
    sys.close(fd);
  }
  sys.unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

function emptyOpen(sys: Syscalls, dir: Fd, dev: string): void {
  const names: string[] = [];
  for (let some = sys.getdents(dir); some.length > 0; some = sys.getdents(dir))
    names.push(...some.map(({ name }) => name));
  for (const name of names) {
    const stat = sys.stat(dir, name, AT_SYMLINK_NOFOLLOW);
    const isDirectory = stat.type === "directory";
    if (isDirectory && stat.dev === dev) {
      const child = sys.openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      try {
        emptyOpen(sys, child, dev);
      } finally {
        sys.close(child);
      }
    }
    sys.unlinkat(dir, name, isDirectory ? AT_REMOVEDIR : 0);
  }
}
