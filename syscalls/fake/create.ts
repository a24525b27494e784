/** How new names come into the fake kernel's directories, and which may not. */

import { MS_RDONLY } from "../constants.ts";
import { type Directory, type FileSystem, type Inode, link } from "./inode.ts";
import type { Machine } from "./machine.ts";
import type { Mount, Position } from "./mounts.ts";
import { refuse } from "./refusal.ts";
import type { Found } from "./walk.ts";

/** Gives a new file the name that was found free. `mode` loses the umask's bits. */
export function create(
  machine: Machine,
  found: Found,
  make: (fs: FileSystem, mode: number) => Inode,
  mode: number,
): Position {
  const { mount, inode: parent } = writableParent(found);
  const inode = make(mount.fs, mode & 0o7777 & ~machine.umask);
  link(parent, found.name, inode);
  return { mount, inode };
}

/** The directory of a name that is to be made or removed. */
export function writableParent({ parent }: Found): { mount: Mount; inode: Directory } {
  const { mount, inode } = parent;
  if (inode.kind !== "directory") refuse("ENOTDIR");
  if (inode.removed) refuse("ENOENT");
  if (isReadOnly(mount)) refuse("EROFS");
  // The kernel alone makes and removes what is there.
  if (mount.fs.type === "proc") refuse("ENOENT");
  if (mount.fs.type === "sysfs") refuse("EPERM");
  return { mount, inode };
}

export function isReadOnly(mount: Mount): boolean {
  return (mount.flags & MS_RDONLY) !== 0;
}
