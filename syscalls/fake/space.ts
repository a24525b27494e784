/** The fake kernel's calls on the file tree as a whole: fs/namespace.c. */

import {
  MNT_DETACH,
  MNT_FORCE,
  MS_BIND,
  MS_MOVE,
  MS_PRIVATE,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  UMOUNT_NOFOLLOW,
} from "../constants.ts";
import type { Syscalls } from "../types.ts";
import type { Machine } from "./machine.ts";
import { type Mount, type Position, isMountRoot, rootOf, same } from "./mounts.ts";
import { refuse } from "./refusal.ts";

const PROPAGATION = MS_PRIVATE | MS_SHARED | MS_SLAVE | MS_UNBINDABLE;

export function space(machine: Machine) {
  const { mounts } = machine;
  return {
    chdir(path) {
      machine.cwd = directoryAt(machine.place(path));
    },
    fchdir(fd) {
      machine.cwd = directoryAt(machine.descriptor(fd).file.position);
    },
    chroot(path) {
      machine.root = directoryAt(machine.place(path));
    },
    mount(source, target, type, flags, data) {
      const at = machine.place(target);
      if ((flags & MS_REMOUNT) !== 0) return remount(at, flags);
      if ((flags & MS_BIND) !== 0) throw new Error("the fake kernel has no bind mounts");
      if ((flags & PROPAGATION) !== 0) return isMountRoot(at) ? undefined : refuse("EINVAL");
      if ((flags & MS_MOVE) !== 0) return move(machine, source, at);
      return mountNew(machine, source, at, type, flags, data);
    },
    umount(target, flags) {
      if ((flags & ~(MNT_DETACH | MNT_FORCE | UMOUNT_NOFOLLOW)) !== 0) refuse("EINVAL");
      const at = mounts.top(machine.place(target, (flags & UMOUNT_NOFOLLOW) === 0));
      if (!isMountRoot(at) || at.mount.at === undefined) refuse("EINVAL");
      if ((flags & MNT_DETACH) === 0 && isBusy(machine, at.mount)) refuse("EBUSY");
      mounts.detach(at.mount);
    },
    pivotRoot(newRoot, putOld) {
      pivot(machine, directoryAt(machine.place(newRoot)), directoryAt(machine.place(putOld)));
    },
  } satisfies Partial<Syscalls>;
}

function directoryAt(place: Position): Position {
  return place.inode.kind === "directory" ? place : refuse("ENOTDIR");
}

function remount(at: Position, flags: number): void {
  if (!isMountRoot(at)) refuse("EINVAL");
  at.mount.flags = flags & ~MS_REMOUNT;
}

function mountNew(
  machine: Machine,
  source: string,
  at: Position,
  type: string,
  flags: number,
  data: string,
): void {
  const fs = machine.fileSystems.mountable(type, () => {
    const { inode } = machine.place(source);
    return inode.kind === "block" ? inode.rdev : refuse("ENOTBLK");
  });
  const place = machine.mounts.top(at);
  if (place.inode.kind !== "directory") refuse("ENOTDIR");
  if (place.inode.removed) refuse("ENOENT");
  if (isMountRoot(place) && place.mount.fs === fs) refuse("EBUSY");
  const mode = /(?:^|,)mode=([0-7]+)/.exec(data)?.[1];
  if (mode !== undefined) fs.root.mode = parseInt(mode, 8);
  machine.mounts.add(fs, place, source, flags);
}

/** do_move_mount() */
function move(machine: Machine, source: string, to: Position): void {
  if (source === "") refuse("EINVAL");
  const from = machine.place(source);
  const { mount } = from;
  const place = machine.mounts.top(to);
  if (!isMountRoot(from) || mount.at === undefined) refuse("EINVAL");
  if (place.inode.kind !== "directory") refuse("EINVAL");
  if (place.inode.removed) refuse("ENOENT");
  for (let above: Mount | undefined = place.mount; above !== undefined; above = above.at?.mount)
    if (above === mount) refuse("ELOOP");
  mount.at = place;
}

function isBusy(machine: Machine, mount: Mount): boolean {
  if (machine.mounts.children(mount).length > 0) return true;
  const used = [machine.root, machine.cwd, ...[...machine.fds.values()].map(({ file }) => file.position)];
  return used.some((place) => place.mount === mount);
}

/** pivot_root(2); the checks stand in the kernel's order. */
function pivot(machine: Machine, newRoot: Position, putOld: Position): void {
  const { mounts, root } = machine;
  const old = mounts.top(putOld);
  const [newMount, rootMount] = [newRoot.mount, root.mount];
  if (newRoot.inode.kind === "directory" && newRoot.inode.removed) refuse("ENOENT");
  if (newMount === rootMount || old.mount === rootMount) refuse("EBUSY");
  if (!isMountRoot(root) || rootMount.at === undefined) refuse("EINVAL");
  if (!isMountRoot(newRoot) || newMount.at === undefined) refuse("EINVAL");
  if (!mounts.isBelow(old, newRoot) || !mounts.isBelow(newRoot, root)) refuse("EINVAL");
  const bottom = rootMount.at;
  newMount.at = undefined;
  rootMount.at = old;
  newMount.at = bottom;
  // chroot_fs_refs(): whoever stands on the old root stands on the new one.
  if (same(machine.cwd, root)) machine.cwd = rootOf(newMount);
  machine.root = rootOf(newMount);
}
