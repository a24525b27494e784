/**
 * The archive format of an initramfs: cpio, "newc" (070701).
 *
 * Follows the kernel's Documentation/driver-api/early-userspace/buffer-format.rst and init/initramfs.c.
 * The reader is in cpio-reader.ts.
 */

import { closeSync, openSync, readSync } from "node:fs";
import { text, toBytes } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";

/** The contents of a file: bytes, or the path of a file of this many bytes, read as the archive is written. */
export type FileData = Uint8Array | { readonly file: string; readonly size: number };

/** What all entries have. `path` is a byte string without a slash in front; `mode` has no type in it. */
interface Common {
  readonly path: string;
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since 1970. */
  readonly mtime?: number;
}

/** One entry of an archive. A "link" is a hard link to the "file" entry of path `target`. */
export type CpioEntry =
  | (Common & {
      readonly type: "file";
      readonly data: FileData;
      /** A multiple of four that the data shall begin at, counted from the archive's beginning: more NULs end the name. */
      readonly align?: number;
    })
  | (Common & { readonly type: "symlink"; readonly target: string })
  | (Common & { readonly type: "block" | "char"; readonly rdev: string })
  | (Common & { readonly type: "directory" | "fifo" | "socket" })
  | { readonly type: "link"; readonly path: string; readonly target: string };

/** The name of the entry that ends an archive. */
export const TRAILER = "TRAILER!!!";

/** Longest name with its NUL, and longest target of a symlink without, that the kernel takes. */
export const PATH_MAX = 4096;

/** File types in a mode (stat(2)). */
export const TYPE_BITS = {
  fifo: 0o010000,
  char: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const;

/**
 * The archive, piece by piece; files on disk are read only when it is their turn. Entries are written in
 * the order given (parents must come first: the kernel makes no directory by itself) and numbered in it.
 * `pad` is the multiple of bytes that the whole is padded to; 512 is cpio(1)'s.
 * @throws UserError for what the format or the kernel can't hold, and for a file that changed its size.
 */
export function* writeCpio(entries: readonly CpioEntry[], pad = 512): Generator<Uint8Array, void> {
  const groups = linkGroups(entries);
  let written = 0;
  for (const [at, entry] of entries.entries()) {
    checkEntry(entry);
    const group = groups.get(entry);
    const data = dataOf(entry, group);
    const header = headerBytes(entry.path, group?.file ?? entry, {
      ino: (group ? entries.indexOf(group.first) : at) + 1,
      nlink: group?.members.length ?? (entry.type === "directory" ? 2 : 1),
      size: sizeOf(data),
      filling: fillingOf(entry, written),
    });
    yield header;
    yield* readData(entry.path, data);
    const padding = zeros(sizeOf(data), 4);
    if (padding.length > 0) yield padding;
    written += header.length + sizeOf(data) + padding.length;
  }
  const trailer = headerBytes(TRAILER, NO_INODE, { ino: 0, nlink: 1, size: 0, filling: 0 });
  yield trailer;
  const end = zeros(written + trailer.length, pad);
  if (end.length > 0) yield end;
}

/** How many bytes these data are. */
export function sizeOf(data: FileData): number {
  return data instanceof Uint8Array ? data.length : data.size;
}

interface LinkGroup {
  readonly file: CpioEntry & { readonly type: "file" };
  readonly first: CpioEntry;
  readonly members: CpioEntry[];
}

const EMPTY = new Uint8Array(0);
const NO_INODE = { type: "file", path: "", mode: 0, uid: 0, gid: 0, mtime: 0, data: EMPTY } as const;
const CHUNK = 1024 * 1024;
const HEADER_SIZE = 110;

// The entries that are one file, in their order: the last of them carries the data.
function linkGroups(entries: readonly CpioEntry[]): Map<CpioEntry, LinkGroup> {
  const links = Map.groupBy(
    entries.filter((entry) => entry.type === "link"),
    ({ target }) => target,
  );
  const groups = new Map<CpioEntry, LinkGroup>();
  for (const entry of links.size > 0 ? entries : []) {
    const others = entry.type === "file" ? links.get(entry.path) : undefined;
    if (entry.type !== "file" || !others) continue;
    const same = new Set<CpioEntry>([entry, ...others]);
    const members = entries.filter((other) => same.has(other));
    const group = { file: entry, first: members[0] ?? entry, members };
    for (const member of members) groups.set(member, group);
  }
  for (const link of [...links.values()].flat())
    if (!groups.has(link))
      throw new UserError(
        `${text(link.path)} is a hard link to ${text(link.target)}, which is no file of the image.`,
      );
  return groups;
}

function dataOf(entry: CpioEntry, group: LinkGroup | undefined): FileData {
  if (group) return group.members.at(-1) === entry ? group.file.data : EMPTY;
  if (entry.type === "file") return entry.data;
  if (entry.type === "symlink") return toBytes(entry.target);
  return EMPTY;
}

/**
 * Checks that an archive can hold the entry and that the kernel takes it.
 * @throws UserError
 */
export function checkEntry(entry: CpioEntry): void {
  const name = `"${text(entry.path)}"`;
  if (entry.path === "" || entry.path === TRAILER || entry.path.includes("\0") || entry.path.startsWith("/"))
    throw new UserError(`${name} can't be the name of a file in an initramfs.`);
  if (entry.path.length + 1 > PATH_MAX)
    throw new UserError(
      `The path ${name} has ${entry.path.length} bytes; the kernel unpacks none above ${PATH_MAX - 1}.`,
    );
  if (entry.type === "symlink" && (entry.target === "" || entry.target.length >= PATH_MAX))
    throw new UserError(
      `The symlink ${name} has a target of ${entry.target.length} bytes; it must have 1 to ${PATH_MAX - 1}.`,
    );
  if (entry.type === "file" && sizeOf(entry.data) >= 2 ** 32)
    throw new UserError(
      `${name} has ${sizeOf(entry.data)} bytes; a file in an initramfs must be smaller than 4 GiB.`,
      "Put it on the root filesystem instead.",
    );
}

// All names of a file get its one inode's mode, owner and time.
function headerBytes(
  path: string,
  inode: CpioEntry,
  { ino, nlink, size, filling }: { ino: number; nlink: number; size: number; filling: number },
): Uint8Array {
  const { type, mode, uid = 0, gid = 0, mtime = 0 } = inode.type === "link" ? NO_INODE : inode;
  const [major = 0, minor = 0] = "rdev" in inode ? inode.rdev.split(":").map(Number) : [];
  const typeAndMode = path === TRAILER ? 0 : TYPE_BITS[type] | mode;
  const name = path + "\0".repeat(1 + filling);
  const fields = [ino, typeAndMode, uid, gid, nlink, mtime, size, 0, 0, major, minor, name.length, 0];
  const header = `070701${fields.map(hex).join("")}${name}`;
  return toBytes(header.padEnd(roundUp4(header.length), "\0"));
}

// How many NULs more than the one a name must have, for data that begin at a multiple; the entry begins at `start`.
function fillingOf(entry: CpioEntry, start: number): number {
  if (entry.type !== "file" || entry.align === undefined) return 0;
  return zeros(start + roundUp4(HEADER_SIZE + entry.path.length + 1), entry.align).length;
}

function hex(value: number): string {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32)
    throw new UserError(`${value} does not fit into the 32 bits of a field of the archive.`);
  return value.toString(16).padStart(8, "0");
}

/**
 * The contents of the entry `path`, piece by piece.
 * @throws UserError when their file changes its size meanwhile
 */
export function* readData(path: string, data: FileData): Generator<Uint8Array, void> {
  if (data instanceof Uint8Array) {
    if (data.length > 0) yield data;
    return;
  }
  const fd = openSync(Buffer.from(data.file, "latin1"), "r");
  try {
    let left = data.size;
    while (left > 0) {
      const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK));
      const got = readSync(fd, chunk);
      if (got === 0) break;
      left -= got;
      yield chunk.subarray(0, got);
    }
    if (left > 0 || readSync(fd, new Uint8Array(1)) > 0)
      throw new UserError(
        `${text(data.file)} changed its size while it was read for ${text(path)}.`,
        "Build the image again once it is at rest.",
      );
  } finally {
    closeSync(fd);
  }
}

function zeros(length: number, multiple: number): Uint8Array {
  const over = length % multiple;
  return over === 0 ? EMPTY : new Uint8Array(multiple - over);
}

function roundUp4(size: number): number {
  return size + (-size & 3);
}
