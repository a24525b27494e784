/** The fake kernel's calls on descriptors. */

import {
  CLOSE_RANGE_CLOEXEC,
  FD_CLOEXEC,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  O_APPEND,
  O_CLOEXEC,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  RLIMIT_NOFILE,
} from "../constants.ts";
import type { DirEntry, Syscalls } from "../types.ts";
import { newFile, newSpecial } from "./inode.ts";
import type { Machine } from "./machine.ts";
import type { PipeEnd } from "./open-file.ts";
import { refuse } from "./refusal.ts";

/** So few that a caller who asks only once goes wrong. */
const NAMES_AT_ONCE = 8;

export function descriptors(machine: Machine) {
  return {
    close(fd) {
      machine.descriptor(fd);
      machine.fds.delete(fd);
    },
    getdents(dir) {
      const { file } = machine.descriptor(dir);
      if ((file.flags & O_PATH) !== 0) refuse("EBADF");
      if (file.kind !== "node" || file.position.inode.kind !== "directory") refuse("ENOTDIR");
      const { inode } = file.position;
      if (inode.removed) refuse("ENOENT");
      if (file.names === undefined) {
        inode.refresh?.();
        file.names = [...inode.entries.keys()];
      }
      const entries: DirEntry[] = [];
      while (file.names.length > 0 && entries.length < NAMES_AT_ONCE) {
        const name = file.names.shift() ?? "";
        const entry = inode.entries.get(name);
        if (entry !== undefined) entries.push({ name, type: entry.kind });
      }
      return entries;
    },
    dup3(from, to, flags) {
      if ((flags & ~O_CLOEXEC) !== 0 || from === to) refuse("EINVAL");
      const { file } = machine.descriptor(from);
      if (to < 0 || BigInt(to) >= (machine.limits[RLIMIT_NOFILE]?.soft ?? 0n)) refuse("EBADF");
      machine.fds.set(to, { file, closeOnExec: (flags & O_CLOEXEC) !== 0 });
    },
    fcntl(fd, command, argument) {
      const descriptor = machine.descriptor(fd);
      const { file } = descriptor;
      switch (command) {
        case F_DUPFD_CLOEXEC:
          return machine.install(file, true, argument);
        case F_GETFD:
          return descriptor.closeOnExec ? FD_CLOEXEC : 0;
        case F_SETFD:
          descriptor.closeOnExec = (argument & FD_CLOEXEC) !== 0;
          return 0;
        case F_GETFL:
          return file.flags;
        case F_SETFL: {
          const settable = O_APPEND | O_NONBLOCK;
          file.flags = (file.flags & ~settable) | (argument & settable);
          return 0;
        }
        default:
          return refuse("EINVAL");
      }
    },
    closeRange(first, last, flags) {
      if (first > last || (flags & ~CLOSE_RANGE_CLOEXEC) !== 0) refuse("EINVAL");
      for (const [fd, descriptor] of machine.fds) {
        if (fd < first || fd > last) continue;
        if (flags === CLOSE_RANGE_CLOEXEC) descriptor.closeOnExec = true;
        else machine.fds.delete(fd);
      }
    },
    pipe(flags) {
      if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) refuse("EINVAL");
      const position = machine.nowhere((fs) => newSpecial(fs, "fifo", 0o600, "0:0"));
      const end = (mode: number): PipeEnd => ({
        kind: "pipe",
        position,
        flags: mode | (flags & O_NONBLOCK),
        pipe,
      });
      const pipe = { bytes: new Uint8Array() };
      const closeOnExec = (flags & O_CLOEXEC) !== 0;
      const read = machine.install(end(O_RDONLY), closeOnExec);
      return { read, write: machine.install(end(O_WRONLY), closeOnExec) };
    },
    memfd(name, flags) {
      if (name.length > 249 || (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING)) !== 0) refuse("EINVAL");
      const position = machine.nowhere((fs) => newFile(fs, 0o777));
      return machine.install(
        { kind: "node", position, flags: O_RDWR, offset: 0 },
        (flags & MFD_CLOEXEC) !== 0,
      );
    },
    sync() {},
  } satisfies Partial<Syscalls>;
}
