/** The file tree as the process sees it: mounts, root and working directory. */

import type { Syscalls } from "../types.ts";
import type { Kernel } from "./kernel.ts";

export function tree(k: Kernel) {
  return {
    chdir(path) {
      k.call("chdir", "chdir", path, k.string("chdir", path, path));
    },
    fchdir(fd) {
      k.call("fchdir", "fchdir", undefined, fd);
    },
    chroot(path) {
      k.call("chroot", "chroot", path, k.string("chroot", path, path));
    },
    mount(source, target, type, flags, data) {
      const from = k.string("mount", target, source);
      const to = k.string("mount", target, target, 1);
      const kind = k.ownString("mount", target, type);
      k.call("mount", "mount", target, from, to, kind, flags, k.ownString("mount", target, data));
    },
    umount(target, flags) {
      k.call("umount2", "umount", target, k.string("umount", target, target), flags);
    },
    pivotRoot(newRoot, putOld) {
      const to = k.string("pivot_root", newRoot, putOld, 1);
      k.call("pivot_root", "pivot_root", newRoot, k.string("pivot_root", newRoot, newRoot), to);
    },
  } satisfies Partial<Syscalls>;
}
