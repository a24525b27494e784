/** An image written out as files of this machine. */

import * as fs from "node:fs";
import { isErrno } from "../../../syscalls/error.ts";
import type { Syscalls } from "../../../syscalls/types.ts";
import { text } from "../../lib/bytes.ts";
import { describe, UserError } from "../../lib/errors.ts";
import type { ArchiveEntry, ArchiveTree } from "../archive-tree.ts";
import { hostPath } from "../root-tree.ts";
import type { ArchiveNode } from "./rootfs.ts";

/** What this user may not make, as counts. */
export interface LeftOut {
  readonly devices: number;
  readonly owners: number;
}

/**
 * Writes the files of `tree` below `directory`, which keeps its own mode and time. Every entry's parents are
 * directories that this has made, or found to be some, so no symlink leads out. With `over`, what has the name of an
 * entry is replaced, but no directory with something in it; without, the directory must be empty.
 * @throws UserError when something can't be written; what was written until then is still there
 */
export function unpackTo(tree: ArchiveTree, directory: string, over: boolean, sys: Syscalls): LeftOut {
  const unpacking = new Unpacking(directory, over, sys);
  const entries = tree.entries().filter(({ path }) => path !== "/");
  for (const entry of entries) unpacking.perform(entry, () => unpacking.make(entry));
  // A directory may forbid that anything is made in it, and that would change its time: inner ones first.
  for (const entry of entries.toReversed())
    if (entry.node.type === "directory")
      unpacking.perform(entry, () => unpacking.setInode(unpacking.place(entry), entry.node));
  return unpacking.leftOut;
}

const NEW_FILE = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW;
const SET_ID_BITS = 0o6000;

class Unpacking {
  readonly leftOut = { devices: 0, owners: 0 };
  private readonly directory: string;
  private readonly over: boolean;
  private readonly sys: Syscalls;
  /** Where the first name of each node is. */
  private readonly made = new Map<ArchiveNode, Buffer>();

  constructor(directory: string, over: boolean, sys: Syscalls) {
    this.directory = directory.replace(/\/+$/, "");
    this.over = over;
    this.sys = sys;
  }

  /** Where an entry goes. */
  place({ path }: ArchiveEntry): Buffer {
    return hostPath(this.directory + path);
  }

  /** Does a step for an entry. */
  perform({ path }: ArchiveEntry, step: () => void): void {
    try {
      step();
    } catch (error) {
      const place = text(this.directory + path);
      throw new UserError(
        `${place} can't be unpacked: ${describe(error)}.`,
        "What was unpacked before it is still there.",
      );
    }
  }

  /** Makes what an entry stands for; of a directory only that it is there. */
  make(entry: ArchiveEntry): void {
    const { node } = entry;
    const place = this.place(entry);
    if (this.over) clear(place, node.type);
    const first = this.made.get(node);
    if (first) return fs.linkSync(first, place);
    if (node.type === "directory") return makeDirectory(place);
    if (!this.create(entry, place)) return;
    this.made.set(node, place);
    this.setInode(place, node);
  }

  /** Owner, mode and time, in this order: changing the owner takes the setuid bit away. */
  setInode(place: Buffer, { type, mode, uid, gid, mtime }: ArchiveNode): void {
    const isOwned = mayFail(() => fs.lchownSync(place, uid, gid));
    if (!isOwned) this.leftOut.owners++;
    // A program of root's must not become one of this user's that runs as this user for everybody.
    if (type !== "symlink") fs.chmodSync(place, isOwned ? mode : mode & ~SET_ID_BITS);
    fs.lutimesSync(place, mtime, mtime);
  }

  // Anything but a directory. False when this user may not make it.
  private create({ path, node }: ArchiveEntry, place: Buffer): boolean {
    const { type, target, rdev, data } = node;
    if (type === "file") writeFile(place, data);
    else if (target !== undefined) fs.symlinkSync(hostPath(target), place);
    else if (type === "block" || type === "char") {
      const isMade = mayFail(() => this.sys.mknod(this.directory + path, type, 0o600, rdev));
      if (!isMade) this.leftOut.devices++;
      return isMade;
    } else if (type === "fifo" || type === "socket")
      this.sys.mknod(this.directory + path, type, 0o600, "0:0");
    return true;
  }
}

function writeFile(place: Buffer, data: Uint8Array): void {
  const fd = fs.openSync(place, NEW_FILE, 0o600);
  try {
    for (let done = 0; done < data.length;) done += fs.writeSync(fd, data, done);
  } finally {
    fs.closeSync(fd);
  }
}

function makeDirectory(place: Buffer): void {
  const stats = fs.lstatSync(place, { throwIfNoEntry: false });
  if (!stats?.isDirectory()) fs.mkdirSync(place, 0o700);
}

// Takes away what is in the place of an entry of this type, except a directory for a directory.
function clear(place: Buffer, type: ArchiveNode["type"]): void {
  const stats = fs.lstatSync(place, { throwIfNoEntry: false });
  if (!stats) return;
  if (!stats.isDirectory()) fs.unlinkSync(place);
  else if (type !== "directory") fs.rmdirSync(place);
}

// False when that takes rights that this user does not have.
function mayFail(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (isErrno(error, "EPERM")) return false;
    if (error instanceof Error && "code" in error && REFUSALS.has(error.code)) return false;
    throw error;
  }
}

/** EINVAL is what a user has no number for in a user namespace. */
const REFUSALS: ReadonlySet<unknown> = new Set(["EPERM", "EINVAL"]);
