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
  /** Entries of one archive with the same type, dev and ino and an nlink above 1 are one file. */
  readonly ino: number;
  readonly dev: string;
  readonly nlink: number;
  /** Of a block or char node, as "major:minor". */
  readonly rdev: string;
  /** The contents of a file, or the target of a symlink; not copied. */
  readonly data: Uint8Array;
  /** Where its header begins. */
  readonly offset: number;
  /** How many archives ended (by a trailer) before it. */
  readonly archive: number;
}

/** Where reading stopped. */
export interface Stop {
  /** Behind the last entry that could be read, or its trailer. */
  readonly end: number;
  /** Whether that was a trailer. */
  readonly trailer: boolean;
  /** What is wrong with what follows. */
  readonly fault?: Fault;
}

/** What is wrong, as a half sentence, and at which byte. */
export interface Fault {
  readonly what: string;
  readonly at: number;
}

/** What a symlink says. */
export function targetOf({ data }: CpioMember): string {
  return upToNul(fromBytes(data));
}

/** Behind the zeros at `start`. */
export function afterZeros(bytes: Uint8Array, start: number): number {
  let at = start;
  // An image may have been padded to the size of a disk.
  while (at + ZEROS.length <= bytes.length && ZEROS.equals(bytes.subarray(at, at + ZEROS.length)))
    at += ZEROS.length;
  while (bytes[at] === 0) at++;
  return at;
}

/** True when an entry could begin at `at`. */
export function isEntry(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === ZERO;
}

/**
 * The entries of one archive: from `start` to its trailer, or to where something else than an entry follows. What
 * the kernel passes over (names and symlinks that are too long, directories with data) is passed over here, too.
 * Offsets are those within `bytes`, and must be multiples of four. `archive` is what its members shall say.
 */
export function* readArchive(
  bytes: Uint8Array,
  start: number,
  archive: number,
): Generator<CpioMember, Stop, void> {
  let end = start;
  for (;;) {
    const at = afterZeros(bytes, end);
    if (!isEntry(bytes, at)) return { end, trailer: false };
    const entry = readEntry(bytes, at, archive);
    if (typeof entry === "string") return { end, trailer: false, fault: { what: entry, at } };
    ({ end } = entry);
    if (entry.trailer) return { end, trailer: true };
    if (entry.member) yield entry.member;
  }
}

/**
 * The entries of an uncompressed initramfs: archives one behind the other with zeros between them.
 * @throws UserError where the kernel would stop, and where the archive ends inside an entry; those before
 *   it have been yielded by then.
 */
export function* readCpio(bytes: Uint8Array): Generator<CpioMember, void> {
  let last: string | undefined;
  let at = afterZeros(bytes, 0);
  for (let archive = 0; at < bytes.length; archive++) {
    const reading = readArchive(bytes, at, archive);
    let next = reading.next();
    for (; !next.done; next = reading.next()) {
      last = next.value.path;
      yield next.value;
    }
    at = afterZeros(bytes, next.value.end);
    const junk = at < bytes.length && !isEntry(bytes, at) ? { what: JUNK, at } : undefined;
    const fault = next.value.fault ?? junk;
    if (fault) throw new UserError(damageOf("The archive", last, `at byte ${fault.at}`, fault.what));
  }
}

/** The sentence about damage behind the entry of path `last`, or before any. */
export function damageOf(subject: string, last: string | undefined, where: string, what: string): string {
  const behind = last === undefined ? "before its first entry" : `after the entry "${text(last)}"`;
  return `${subject} is damaged ${behind} (${where}): ${what}.`;
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
/** The digit with which an entry begins. */
const ZERO = 0x30;
const ZEROS = Buffer.alloc(4096);
const JUNK = "what follows is neither an archive nor zeros";

interface Entry {
  readonly end: number;
  readonly trailer?: boolean;
  /** None when the entry is passed over. */
  readonly member?: CpioMember;
}

// The entry at `at`, or what is wrong with it.
function readEntry(bytes: Uint8Array, at: number, archive: number): Entry | string {
  if (at % 4 !== 0) return "an entry begins at an odd place";
  if (at + HEADER > bytes.length) return "it ends inside a header";
  const header = readHeader(bytes, at);
  if (typeof header === "string") return header;

  const { nameSize, size, mode, uid, gid, mtime, ino, dev, nlink, rdev } = header;
  const nameStart = at + HEADER;
  const name = fromBytes(bytes.subarray(nameStart, nameStart + Math.min(nameSize, PATH_MAX)));
  const path = upToNul(name);
  const dataStart = nameStart + alignedName(nameSize);
  if (dataStart + size > bytes.length) return `it ends inside the entry "${text(path)}"`;
  const end = Math.min(roundUp4(dataStart + size), bytes.length);
  if (isPassedOver(header)) return { end };
  if (!name.endsWith("\0")) return "a name does not end with NUL";
  const type = typeOf(mode);
  if (path === TRAILER && type !== "symlink") return { end, trailer: true };
  if (type === undefined) return { end };

  const data = bytes.subarray(dataStart, dataStart + size);
  if (header.checksummed && type === "file" && sum(data) !== header.check)
    return `the data of "${text(path)}" do not agree with their checksum`;
  const common = { uid, gid, mtime, ino, dev, nlink, rdev, archive };
  return { member: { path, type, mode: mode & 0o7777, ...common, data, offset: at }, end };
}

// The header, or what is wrong with it.
function readHeader(bytes: Uint8Array, at: number): Header | string {
  const header = fromBytes(bytes.subarray(at, at + HEADER));
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

function upToNul(name: string): string {
  const nul = name.indexOf("\0");
  return nul < 0 ? name : name.slice(0, nul);
}

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
