/** open(2) of the fake kernel: path_openat() and do_open() in fs/namei.c. */

import { toBytes } from "../../src/lib/bytes.ts";
import {
  MS_NODEV,
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
} from "../constants.ts";
import type { Fd } from "../types.ts";
import { create, isReadOnly } from "./create.ts";
import { type RegularFile, newFile } from "./inode.ts";
import type { Machine } from "./machine.ts";
import type { Position } from "./mounts.ts";
import { refuse } from "./refusal.ts";

/** Opens what `path` names below `dir`, and makes a file of that name when the flags say so. */
export function openPath(machine: Machine, dir: Fd, path: string, flags: number, mode: number): Fd {
  const makes = (flags & (O_CREAT | O_PATH)) === O_CREAT;
  const position = makes
    ? placeOrNew(machine, dir, path, flags, mode)
    : machine.place(path, (flags & O_NOFOLLOW) === 0, dir);
  const { inode } = position;
  if ((flags & O_DIRECTORY) !== 0 && inode.kind !== "directory") refuse("ENOTDIR");
  if ((flags & O_PATH) === 0) mayOpen(machine, position, flags);
  const kept = flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC);
  const content = inode.kind === "file" ? contentAtOpen(inode, flags) : undefined;
  return machine.install(
    { kind: "node", position, flags: kept, offset: 0, content },
    (flags & O_CLOEXEC) !== 0,
  );
}

function placeOrNew(machine: Machine, dir: Fd, path: string, flags: number, mode: number): Position {
  const exclusive = (flags & O_EXCL) !== 0;
  const found = machine.find(path, !exclusive && (flags & O_NOFOLLOW) === 0, dir);
  if (found.trailingSlash) refuse("EISDIR");
  if (found.target === undefined) return create(machine, found, (fs, bits) => newFile(fs, bits), mode);
  if (exclusive) refuse("EEXIST");
  if (found.target.inode.kind === "directory") refuse("EISDIR");
  return found.target;
}

function mayOpen(machine: Machine, { mount, inode }: Position, flags: number): void {
  const writes = (flags & O_ACCMODE) !== O_RDONLY || (flags & O_TRUNC) !== 0;
  switch (inode.kind) {
    case "symlink":
      return refuse("ELOOP");
    case "directory":
      return writes ? refuse("EISDIR") : undefined;
    case "file":
      return writes && isReadOnly(mount) ? refuse("EROFS") : undefined;
    case "block":
    case "char":
      if ((mount.flags & MS_NODEV) !== 0) refuse("EACCES");
      return machine.deviceOf(inode) !== undefined ? undefined : refuse("ENXIO");
    case "fifo":
      return openFifo(flags);
    default:
      return refuse("ENXIO");
  }
}

// No other process opens the other end here, so an open that waits for one would wait for ever.
function openFifo(flags: number): void {
  const mode = flags & O_ACCMODE;
  if ((flags & O_NONBLOCK) === 0 && (mode === O_RDONLY || mode === O_WRONLY))
    throw new Error("the fake kernel's open of a fifo would block for ever");
  if (mode === O_WRONLY) refuse("ENXIO");
}

function contentAtOpen(inode: RegularFile, flags: number): Uint8Array | undefined {
  if (inode.read !== undefined) return toBytes(inode.read());
  if ((flags & O_TRUNC) !== 0) inode.bytes = new Uint8Array();
  return undefined;
}
