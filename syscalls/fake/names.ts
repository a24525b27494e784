/** The fake kernel's calls on names: fs/namei.c, fs/stat.c. */

import { AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, W_OK, X_OK } from "../constants.ts";
import { packDevice } from "../struct.ts";
import type { Stat, Syscalls } from "../types.ts";
import { create, isReadOnly, writableParent } from "./create.ts";
import { type Inode, link, newDirectory, newSpecial, newSymlink } from "./inode.ts";
import type { Machine } from "./machine.ts";
import { type Position, same } from "./mounts.ts";
import { openPath } from "./open.ts";
import { refuse } from "./refusal.ts";
import { type Found, PATH_MAX } from "./walk.ts";

export function names(machine: Machine) {
  return {
    open: (path, flags, mode = 0) => openPath(machine, AT_FDCWD, path, flags, mode),
    openat: (dir, path, flags, mode = 0) => openPath(machine, dir, path, flags, mode),
    stat(dir, path, flags = 0) {
      if (path === "" && (flags & AT_EMPTY_PATH) !== 0)
        return statOf(dir === AT_FDCWD ? machine.cwd : machine.descriptor(dir).file.position);
      return statOf(machine.place(path, (flags & AT_SYMLINK_NOFOLLOW) === 0, dir));
    },
    fstat: (fd) => statOf(machine.descriptor(fd).file.position),
    statfs: (path) => ({ type: machine.place(path).mount.fs.magic }),
    fstatfs: (fd) => ({ type: machine.descriptor(fd).file.position.mount.fs.magic }),
    readlink(path) {
      const { inode } = machine.place(path, false);
      return inode.kind === "symlink" ? inode.target : refuse("EINVAL");
    },
    mkdir(path, mode) {
      create(machine, vacant(machine, path, true), (fs, bits) => newDirectory(fs, bits), mode & 0o1777);
    },
    mknod(path, type, mode, rdev) {
      if (packDevice(rdev) === undefined) refuse("EINVAL");
      const device = type === "block" || type === "char" ? rdev : "0:0";
      create(machine, vacant(machine, path), (fs, bits) => newSpecial(fs, type, bits, device), mode);
    },
    symlink(target, path) {
      if (target === "") refuse("ENOENT");
      if (target.length >= PATH_MAX) refuse("ENAMETOOLONG");
      create(machine, vacant(machine, path), (fs) => newSymlink(fs, target), 0o777);
    },
    rename(from, to) {
      rename(machine, machine.find(from, false), machine.find(to, false));
    },
    unlinkat(dir, path, flags) {
      if ((flags & ~AT_REMOVEDIR) !== 0) refuse("EINVAL");
      const found = machine.find(path, false, dir);
      if (flags === 0) unlink(machine, found);
      else removeDirectory(machine, found);
    },
    chmod(path, mode) {
      const { mount, inode } = machine.place(path);
      if (isReadOnly(mount)) refuse("EROFS");
      inode.mode = mode & 0o7777;
    },
    access(path, mode) {
      if ((mode & ~7) !== 0) refuse("EINVAL");
      const { mount, inode } = machine.place(path);
      if ((mode & W_OK) !== 0 && inode.kind !== "char" && inode.kind !== "block" && isReadOnly(mount))
        refuse("EROFS");
      // What root may do with any file, but not this.
      if ((mode & X_OK) !== 0 && inode.kind !== "directory" && (inode.mode & 0o111) === 0) refuse("EACCES");
    },
    umask(mask) {
      const before = machine.umask;
      machine.umask = mask & 0o777;
      return before;
    },
  } satisfies Partial<Syscalls>;
}

/** A name that is free to be made. */
function vacant(machine: Machine, path: string, directory = false): Found {
  const found = machine.find(path, false);
  if (found.target !== undefined) refuse("EEXIST");
  if (found.trailingSlash && !directory) refuse("ENOENT");
  return found;
}

function unlink(machine: Machine, found: Found): void {
  if (found.name === "." || found.name === "..") refuse("EISDIR");
  const target = found.target ?? refuse("ENOENT");
  const { inode: parent } = writableParent(found);
  const inode = parent.entries.get(found.name) ?? refuse("ENOENT");
  if (inode.kind === "directory") refuse("EISDIR");
  if (found.trailingSlash) refuse("ENOTDIR");
  if (machine.mounts.isMountPoint(inode) || target.inode !== inode) refuse("EBUSY");
  parent.entries.delete(found.name);
}

function removeDirectory(machine: Machine, found: Found): void {
  if (found.name === "..") refuse("ENOTEMPTY");
  if (found.name === ".") refuse(same(found.parent, machine.root) ? "EBUSY" : "EINVAL");
  if (found.target === undefined) refuse("ENOENT");
  const { inode: parent } = writableParent(found);
  const inode = parent.entries.get(found.name) ?? refuse("ENOENT");
  if (inode.kind !== "directory") refuse("ENOTDIR");
  if (machine.mounts.isMountPoint(inode)) refuse("EBUSY");
  if (inode.entries.size > 0) refuse("ENOTEMPTY");
  inode.removed = true;
  parent.entries.delete(found.name);
}

function rename(machine: Machine, from: Found, to: Found): void {
  if (from.parent.mount !== to.parent.mount) refuse("EXDEV");
  if ([from.name, to.name].some((name) => name === "." || name === "..")) refuse("EBUSY");
  if (from.target === undefined) refuse("ENOENT");
  const { inode: fromParent, mount } = writableParent(from);
  const { inode: toParent } = writableParent(to);
  const inode = fromParent.entries.get(from.name) ?? refuse("ENOENT");
  const replaced = toParent.entries.get(to.name);
  if (inode.kind !== "directory" && (from.trailingSlash || to.trailingSlash)) refuse("ENOTDIR");
  if (machine.mounts.isBelow({ mount, inode: toParent }, { mount, inode })) refuse("EINVAL");
  if (replaced === inode) return;
  if (replaced !== undefined) mayReplace(machine, inode, replaced);
  if (machine.mounts.isMountPoint(inode)) refuse("EBUSY");
  if (replaced?.kind === "directory") replaced.removed = true;
  fromParent.entries.delete(from.name);
  link(toParent, to.name, inode);
}

function mayReplace(machine: Machine, inode: Inode, replaced: Inode): void {
  if (inode.kind === "directory" && replaced.kind !== "directory") refuse("ENOTDIR");
  if (inode.kind !== "directory" && replaced.kind === "directory") refuse("EISDIR");
  if (machine.mounts.isMountPoint(replaced)) refuse("EBUSY");
  if (replaced.kind === "directory" && replaced.entries.size > 0) refuse("ENOTEMPTY");
}

function statOf({ mount, inode }: Position): Stat {
  return {
    type: inode.kind,
    mode: inode.mode,
    size: sizeOf(inode),
    ino: inode.ino,
    dev: mount.fs.dev,
    rdev: "rdev" in inode ? inode.rdev : "0:0",
    mountId: BigInt(mount.id),
  };
}

function sizeOf(inode: Inode): number {
  if (inode.kind === "symlink") return inode.target.length;
  if (inode.kind !== "file") return 0;
  if (inode.read !== undefined) return inode.fs.type === "sysfs" ? 4096 : 0;
  return inode.bytes.length;
}
