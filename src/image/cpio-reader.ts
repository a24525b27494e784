/**
 * Reading an initramfs as the kernel does: init/initramfs.c, as strict about numbers as its newer versions,
 * which init/initramfs_test.c describes.
 */

import { fromBytes, text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { PATH_MAX, TRAILER, TYPE_BITS } from "./cpio.ts";

/** One entry as it stands in the archive. */
export interface CpioMember {
  readonly path: string;
  readonly type: keyof typeof TYPE_BITS;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Entries with the same dev and ino and an nlink above 1 are one file, until the next trailer. */
  readonly ino: number;
  readonly dev: string;
  readonly nlink: number;
  /** Of a block or char node, as "major:minor". */
  readonly rdev: string;
  /** The contents of a file, or the target of a symlink; not copied. */
  readonly data: Uint8Array;
  /** Where its header begins. */
  readonly offset: number;
}

/**
 * The entries of an uncompressed initramfs: archives one behind the other with zeros between them. What the
 * kernel passes over (names and symlinks that are too long, directories with data) is passed over here, too.
 * @throws UserError where the kernel would stop, and where the archive ends inside an entry; those before
 *   it have been yielded by then.
 */
export function* readCpio(archive: Uint8Array): Generator<CpioMember, void> {
  let last: string | undefined;
  for (let at = afterZeros(archive, 0); at < archive.length;) {
    const entry = readEntry(archive, at);
    if (typeof entry === "string") {
      const where = last === undefined ? "before its first entry" : `after the entry "${text(last)}"`;
      throw new UserError(`The archive is damaged ${where} (at byte ${at}): ${entry}.`);
    }
    if (entry.member) {
      yield entry.member;
      last = entry.member.path;
    }
    at = afterZeros(archive, entry.end);
  }
}

interface Header {
  readonly checksummed: boolean;
  readonly ino: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly mtime: number;
  readonly size: number;
  readonly dev: string;
  readonly rdev: string;
  readonly nameSize: number;
  readonly check: number;
}

const HEADER = 110;
const FIELDS = 13;
const ZERO = 0x30;

// The entry at `at` (without a member when it is passed over) and where it ends, or what is wrong.
function readEntry(archive: Uint8Array, at: number): { member?: CpioMember; end: number } | string {
  if (archive[at] !== ZERO) return "what follows is neither an archive nor zeros";
  if (at % 4 !== 0) return "an entry begins at an odd place";
  if (at + HEADER > archive.length) return "it ends inside a header";
  const header = readHeader(archive, at);
  if (typeof header === "string") return header;

  const { nameSize, size, mode, uid, gid, mtime, ino, dev, nlink, rdev } = header;
  const nameStart = at + HEADER;
  const name = fromBytes(archive.subarray(nameStart, nameStart + nameSize));
  const nul = name.indexOf("\0");
  const path = nul < 0 ? name : name.slice(0, nul);
  const dataStart = nameStart + alignedName(nameSize);
  if (dataStart + size > archive.length) return `it ends inside the entry "${text(path)}"`;
  const end = roundUp4(dataStart + size);
  if (isPassedOver(header)) return { end };
  if (!name.endsWith("\0")) return "a name does not end with NUL";
  const type = typeOf(mode);
  if (path === TRAILER || type === undefined) return { end };

  const data = archive.subarray(dataStart, dataStart + size);
  if (header.checksummed && type === "file" && sum(data) !== header.check)
    return `the data of "${text(path)}" do not agree with their checksum`;
  const common = { uid, gid, mtime, ino, dev, nlink, rdev };
  return { member: { path, type, mode: mode & 0o7777, ...common, data, offset: at }, end };
}

function afterZeros(archive: Uint8Array, start: number): number {
  let at = start;
  while (archive[at] === 0) at++;
  return at;
}

// The header, or what is wrong with it.
function readHeader(archive: Uint8Array, at: number): Header | string {
  const header = fromBytes(archive.subarray(at, at + HEADER));
  const magic = header.slice(0, 6);
  if (magic === "070707") return 'it is in an older format of cpio; "-H newc" makes the right one';
  if (magic !== "070701" && magic !== "070702") return "an entry does not begin with 070701 or 070702";
  if (!/^[0-9a-fA-F]*$/.test(header)) return "a header has something else than hexadecimal digits";
  const field = (index: number) => Number.parseInt(header.slice(6 + 8 * index, 14 + 8 * index), 16);
  const fields = Array.from({ length: FIELDS }, (_, index) => field(index));
  const [ino = 0, mode = 0, uid = 0, gid = 0, nlink = 0, mtime = 0, size = 0] = fields;
  const [major = 0, minor = 0, rmajor = 0, rminor = 0, nameSize = 0, check = 0] = fields.slice(7);
  const checksummed = magic === "070702";
  const [dev, rdev] = [`${major}:${minor}`, `${rmajor}:${rminor}`];
  return { checksummed, ino, mode, uid, gid, nlink, mtime, size, dev, rdev, nameSize, check };
}

function isPassedOver({ nameSize, size, mode }: Header): boolean {
  if (nameSize === 0 || nameSize > PATH_MAX) return true;
  const type = typeOf(mode);
  if (type === "symlink") return size > PATH_MAX;
  return type !== "file" && size > 0;
}

function typeOf(mode: number): keyof typeof TYPE_BITS | undefined {
  const bits = mode & 0o170000;
  return TYPES.find((type) => TYPE_BITS[type] === bits);
}

const TYPES = ["fifo", "char", "directory", "block", "file", "symlink", "socket"] as const;

// The header's 110 bytes and the name together fill a multiple of four.
function alignedName(size: number): number {
  return roundUp4(HEADER + size) - HEADER;
}

function roundUp4(size: number): number {
  return size + (-size & 3);
}

function sum(data: Uint8Array): number {
  let total = 0;
  for (const byte of data) total = (total + byte) >>> 0;
  return total;
}
