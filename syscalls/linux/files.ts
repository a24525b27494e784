/** Files, directories and descriptors. */

import { View, fromBytes } from "../../src/lib/bytes.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  STATX_BASIC_STATS,
  STATX_MNT_ID,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
} from "../constants.ts";
import { errnoNumber, fail } from "../errno.ts";
import { SIZE, packDevice, readDirents, readStatfs, readStatx } from "../struct.ts";
import type { DirEntry, Stat, Syscalls } from "../types.ts";
import type { Kernel } from "./kernel.ts";

const DIRENTS_BYTES = 32 * 1024;
/** No link's text is longer (path_resolution(7)). */
const PATH_MAX = 4096;
const NODE_TYPES = { block: S_IFBLK, char: S_IFCHR, fifo: S_IFIFO, socket: S_IFSOCK } as const;

/** Calls on names. */
export function names(k: Kernel) {
  const stat = new Uint8Array(SIZE.statx);
  const statView = new View(stat);
  const statfs = new Uint8Array(SIZE.statfs);
  const statfsView = new View(statfs);

  const statx = (fd: number, path: string, shown: string | undefined, flags: number): Stat => {
    const fields = STATX_BASIC_STATS | STATX_MNT_ID;
    k.call("statx", "statx", shown, fd, k.string("statx", shown, path), flags, fields, stat);
    return readStatx(statView);
  };
  return {
    open: (path, flags, mode = 0) =>
      k.call("openat", "open", path, AT_FDCWD, k.string("open", path, path), flags, mode),
    openat: (dir, path, flags, mode = 0) =>
      k.call("openat", "openat", path, dir, k.string("openat", path, path), flags, mode),
    stat: (dir, path, flags = 0) => statx(dir, path, path, flags),
    fstat: (fd) => statx(fd, "", undefined, AT_EMPTY_PATH),
    statfs(path) {
      k.call("statfs", "statfs", path, k.string("statfs", path, path), statfs);
      return { type: readStatfs(statfsView) };
    },
    fstatfs(fd) {
      k.call("fstatfs", "fstatfs", undefined, fd, statfs);
      return { type: readStatfs(statfsView) };
    },
    readlink(path) {
      const target = Buffer.allocUnsafe(PATH_MAX);
      const name = k.string("readlink", path, path);
      const length = k.call("readlinkat", "readlink", path, AT_FDCWD, name, target, PATH_MAX);
      return fromBytes(target.subarray(0, length));
    },
    mkdir(path, mode) {
      k.call("mkdirat", "mkdir", path, AT_FDCWD, k.string("mkdir", path, path), mode);
    },
    mknod(path, type, mode, rdev) {
      const device = packDevice(rdev) ?? fail("mknod", errnoNumber("EINVAL"), path);
      const name = k.string("mknod", path, path);
      k.call("mknodat", "mknod", path, AT_FDCWD, name, NODE_TYPES[type] | mode, device);
    },
    symlink(target, path) {
      const name = k.string("symlink", path, path, 1);
      k.call("symlinkat", "symlink", path, k.string("symlink", path, target), AT_FDCWD, name);
    },
    rename(from, to) {
      const target = k.string("rename", from, to, 1);
      k.call("renameat2", "rename", from, AT_FDCWD, k.string("rename", from, from), AT_FDCWD, target, 0);
    },
    unlinkat(dir, path, flags) {
      k.call("unlinkat", "unlinkat", path, dir, k.string("unlinkat", path, path), flags);
    },
    chmod(path, mode) {
      k.call("fchmodat", "chmod", path, AT_FDCWD, k.string("chmod", path, path), mode);
    },
    access(path, mode) {
      k.call("faccessat", "access", path, AT_FDCWD, k.string("access", path, path), mode);
    },
    umask: (mask) => k.call("umask", "umask", undefined, mask),
  } satisfies Partial<Syscalls>;
}

/** Calls on descriptors. */
export function descriptors(k: Kernel) {
  let direntsBuffer: Uint8Array | undefined;
  const pair = new Int32Array(2);
  const pairBytes = new Uint8Array(pair.buffer);

  return {
    close(fd) {
      k.close(fd);
    },
    read: (fd, buffer) => k.call("read", "read", undefined, fd, buffer, buffer.byteLength),
    pread: (fd, buffer, offset) =>
      k.call("pread64", "pread", undefined, fd, buffer, buffer.byteLength, offset),
    write: (fd, bytes) => k.call("write", "write", undefined, fd, bytes, bytes.byteLength),
    ftruncate(fd, length) {
      k.call("ftruncate", "ftruncate", undefined, fd, length);
    },
    getdents(dir) {
      direntsBuffer ??= new Uint8Array(DIRENTS_BYTES);
      let entries: DirEntry[] = [];
      while (entries.length === 0) {
        const length = k.call("getdents64", "getdents", undefined, dir, direntsBuffer, DIRENTS_BYTES);
        if (length === 0) break;
        entries = readDirents(direntsBuffer, length);
      }
      return entries;
    },
    dup3(from, to, flags) {
      k.call("dup3", "dup3", undefined, from, to, flags);
    },
    fcntl: (fd, command, argument) => k.call("fcntl", "fcntl", undefined, fd, command, argument),
    closeRange(first, last, flags) {
      k.call("close_range", "close_range", undefined, first, last, flags);
    },
    pipe(flags) {
      k.call("pipe2", "pipe", undefined, pairBytes, flags);
      const [read = -1, write = -1] = pair;
      return { read, write };
    },
    memfd: (name, flags) =>
      k.call("memfd_create", "memfd_create", name, k.string("memfd_create", name, name), flags),
    sync() {
      k.call("sync", "sync", undefined);
    },
  } satisfies Partial<Syscalls>;
}
