/**
 * The kernel's structs, packed and unpacked: the x86-64 layouts of the headers named at each.
 * Every reader is bounds-checked and throws RangeError on a buffer that is too short.
 */

import { View } from "../src/lib/bytes.ts";
import {
  AF_NETLINK,
  CLD_DUMPED,
  CLD_EXITED,
  CLD_KILLED,
  POLLIN,
  STATX_MNT_ID,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from "./constants.ts";
import type { ChildStatus, DirEntry, Disposition, FileType, Rlimit, Stat, Utsname } from "./types.ts";

/** sizeof, by struct. */
export const SIZE = {
  dm_ioctl: 312,
  pollfd: 8,
  rlimit64: 16,
  sigaction: 32,
  siginfo: 128,
  sigset: 8,
  sockaddr_nl: 12,
  statfs: 120,
  statx: 256,
  termios: 36,
  timespec: 16,
  utsname: 6 * 65,
} as const;

/** st_mode's type bits, sys/stat.h. */
const FILE_TYPES: Readonly<Record<number, FileType>> = {
  [S_IFREG]: "file",
  [S_IFDIR]: "directory",
  [S_IFLNK]: "symlink",
  [S_IFBLK]: "block",
  [S_IFCHR]: "char",
  [S_IFIFO]: "fifo",
  [S_IFSOCK]: "socket",
};

/** struct statx, linux/stat.h. */
export function readStatx(view: View): Stat {
  const mode = view.u16(28);
  return {
    type: FILE_TYPES[mode & S_IFMT] ?? "file",
    mode: mode & ~S_IFMT,
    size: Number(view.u64(40)),
    ino: view.u64(32),
    dev: `${view.u32(136)}:${view.u32(140)}`,
    rdev: `${view.u32(128)}:${view.u32(132)}`,
    mountId: (view.u32(0) & STATX_MNT_ID) === 0 ? undefined : view.u64(144),
  };
}

/** The struct linux_dirent64 records in the first `length` bytes (getdents(2)), without . and .. */
export function readDirents(bytes: Uint8Array, length: number): DirEntry[] {
  const view = new View(bytes.subarray(0, length));
  const entries: DirEntry[] = [];
  const header = 19;
  for (let at = 0; at < length;) {
    const recordLength = view.u16(at + 16);
    if (recordLength < header) throw new RangeError(`a directory record of ${recordLength} bytes`);
    const name = view.string(at + header, recordLength - header);
    // d_type is st_mode's type, shifted; 0 is DT_UNKNOWN.
    if (name !== "." && name !== "..")
      entries.push({ name, type: FILE_TYPES[view.u8(at + 18) << 12] ?? "unknown" });
    at += recordLength;
  }
  return entries;
}

/** f_type of struct statfs, asm-generic/statfs.h. */
export function readStatfs(view: View): number {
  return view.u32(0);
}

/** struct rlimit64, linux/resource.h. */
export function readRlimit(view: View): Rlimit {
  return { soft: view.u64(0), hard: view.u64(8) };
}

export function packRlimit(limit: Rlimit): Uint8Array {
  const view = new DataView(new ArrayBuffer(SIZE.rlimit64));
  view.setBigUint64(0, limit.soft, true);
  view.setBigUint64(8, limit.hard, true);
  return new Uint8Array(view.buffer);
}

/** sa_handler of the kernel's struct sigaction, asm/signal.h: SIG_DFL is 0, SIG_IGN 1. */
export function readDisposition(view: View): Disposition {
  const handler = view.u64(0);
  if (handler === 0n) return "default";
  return handler === 1n ? "ignored" : "handled";
}

/** struct siginfo as waitid(2) fills it; undefined when it names no child. */
export function readSiginfo(view: View): ChildStatus | undefined {
  const code = CHILD_CODES[view.u32(8)];
  const pid = view.u32(16);
  if (pid === 0 || code === undefined) return undefined;
  return { pid, code, status: view.u32(24) };
}

/** asm-generic/siginfo.h. */
const CHILD_CODES: Readonly<Record<number, ChildStatus["code"]>> = {
  [CLD_EXITED]: "exited",
  [CLD_KILLED]: "killed",
  [CLD_DUMPED]: "dumped",
};

/** An array of struct pollfd that asks for what can be read, asm-generic/poll.h. */
export function packPollfds(fds: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(SIZE.pollfd * fds.length));
  fds.forEach((fd, i) => {
    view.setInt32(SIZE.pollfd * i, fd, true);
    view.setUint16(SIZE.pollfd * i + 4, POLLIN, true);
  });
  return new Uint8Array(view.buffer);
}

/** The descriptors of an array of struct pollfd for which something has been reported. */
export function readPolled(view: View): number[] {
  const reported: number[] = [];
  for (let at = 0; at < view.length; at += SIZE.pollfd)
    if (view.u16(at + 6) !== 0) reported.push(view.u32(at));
  return reported;
}

/** struct __kernel_timespec, linux/time_types.h, in nanoseconds. */
export function readTimespec(view: View): bigint {
  return view.u64(0) * 1_000_000_000n + view.u64(8);
}

/** struct sockaddr_nl, linux/netlink.h, with the port left for the kernel to choose. */
export function packNetlinkAddress(groups: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(SIZE.sockaddr_nl));
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(8, groups, true);
  return new Uint8Array(view.buffer);
}

/** nl_pid of a sender's address; undefined when the address is not netlink's. */
export function readNetlinkPort(view: View, length: number): number | undefined {
  return length === SIZE.sockaddr_nl && view.u16(0) === AF_NETLINK ? view.u32(4) : undefined;
}

/** struct new_utsname, linux/utsname.h. */
export function readUtsname(view: View): Utsname {
  return { release: view.string(2 * 65, 65), machine: view.string(4 * 65, 65) };
}

/**
 * "major:minor" as mknod(2) takes it (new_encode_dev in linux/kdev_t.h); undefined when it is not
 * a device number.
 */
export function packDevice(device: string): number | undefined {
  const [, majorText, minorText] = /^(\d{1,4}):(\d{1,7})$/.exec(device) ?? [];
  const [major, minor] = [Number(majorText), Number(minorText)];
  if (Number.isNaN(major) || Number.isNaN(minor) || major >= 1 << 12 || minor >= 1 << 20) return undefined;
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** Addresses as an array of pointers with a null pointer at its end. */
export function packPointers(addresses: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * (addresses.length + 1)));
  addresses.forEach((address, i) => view.setBigUint64(8 * i, BigInt(address), true));
  return new Uint8Array(view.buffer);
}

/**
 * Whether an ioctl's buffer is as long as the request says that the kernel reads or writes (asm-generic/ioctl.h); the
 * old requests don't say.
 */
export function holdsRequest(request: number, argument: Uint8Array | number): boolean {
  const encoded = request >>> 30 === 0 ? 0 : (request >>> 16) & 0x3fff;
  return typeof argument === "number" || argument.byteLength >= encoded;
}
