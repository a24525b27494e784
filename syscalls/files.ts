/** Whole files and directories, on any Syscalls. Paths are byte strings, and so is all text. */

import { fromBytes, toBytes } from "../src/lib/bytes.ts";
import { AT_FDCWD, F_OK, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_RDONLY, O_TRUNC, O_WRONLY } from "./constants.ts";
import { errnoNumber, fail } from "./errno.ts";
import { isErrno } from "./error.ts";
import type { DirEntry, Fd, Syscalls } from "./types.ts";

/** A page: all that a file of sysfs can give, and more than most files of /proc hold. */
const FIRST_BYTES = 4096;
/** What a file's size may make us ask for at once: /proc/kcore says that it has 128 TiB. */
const MAX_STEP_BYTES = 64 * 1024 * 1024;

/**
 * All bytes of a file, also of one that says its size is 0 (proc(5)).
 * @throws SysError
 */
export function readFile(sys: Syscalls, path: string): Uint8Array {
  return withFile(sys, path, O_RDONLY, 0, (fd) => readAll(sys, fd));
}

/**
 * A file's bytes as a byte string.
 * @throws SysError
 */
export function readText(sys: Syscalls, path: string): string {
  return fromBytes(readFile(sys, path));
}

/**
 * The same; undefined when there is no such file or directory.
 * @throws SysError for any other reason
 */
export function readTextIfThere(sys: Syscalls, path: string): string | undefined {
  try {
    return readText(sys, path);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** All bytes from the position of an open file to its end. */
export function readAll(sys: Syscalls, fd: Fd): Uint8Array {
  let buffer = new Uint8Array(FIRST_BYTES);
  let length = 0;
  for (;;) {
    const count = sys.read(fd, buffer.subarray(length));
    if (count === 0) return buffer.subarray(0, length);
    length += count;
    if (length < buffer.length) continue;
    const missing = Math.max(sys.fstat(fd).size - length + 1, length);
    const larger = new Uint8Array(length + Math.min(missing, MAX_STEP_BYTES));
    larger.set(buffer);
    buffer = larger;
  }
}

/**
 * Makes the file's content this byte string; a new file gets `mode` less the umask.
 * @throws SysError
 */
export function writeFile(sys: Syscalls, path: string, text: string, mode = 0o644): void {
  withFile(sys, path, O_WRONLY | O_CREAT | O_TRUNC, mode, (fd) => writeAll(sys, fd, toBytes(text)));
}

/**
 * Writes all of `bytes`, in as many calls as that takes.
 * @throws SysError; some may be written then
 */
export function writeAll(sys: Syscalls, fd: Fd, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0;) {
    const count = sys.write(fd, rest);
    // A device that takes nothing and says nothing would keep us here for ever.
    if (count === 0) fail("write", errnoNumber("EIO"));
    rest = rest.subarray(count);
  }
}

/**
 * The names in a directory, in byte order.
 * @throws SysError
 */
export function list(sys: Syscalls, path: string): DirEntry[] {
  const entries = withFile(sys, path, O_RDONLY | O_DIRECTORY, 0, (fd) => {
    const all: DirEntry[] = [];
    for (let some = sys.getdents(fd); some.length > 0; some = sys.getdents(fd)) all.push(...some);
    return all;
  });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * True when the path leads to something; a link that leads nowhere does not.
 * @throws SysError when that can't be found out
 */
export function exists(sys: Syscalls, path: string): boolean {
  try {
    sys.access(path, F_OK);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

/**
 * Makes a directory and those above it, as far as they are missing, with `mode` less the umask.
 * @throws SysError, EEXIST when something else has the name
 */
export function mkdirs(sys: Syscalls, path: string, mode = 0o755): void {
  try {
    mkdirOrFind(sys, path, mode);
  } catch (error) {
    const parent = path.replace(/\/*[^/]*\/*$/, "");
    if (!isErrno(error, "ENOENT") || parent === "") throw error;
    mkdirs(sys, parent, mode);
    // Once only: /proc answers ENOENT however often it is asked.
    mkdirOrFind(sys, path, mode);
  }
}

function mkdirOrFind(sys: Syscalls, path: string, mode: number): void {
  try {
    sys.mkdir(path, mode);
  } catch (error) {
    if (!isErrno(error, "EEXIST") || sys.stat(AT_FDCWD, path).type !== "directory") throw error;
  }
}

function withFile<T>(sys: Syscalls, path: string, flags: number, mode: number, use: (fd: Fd) => T): T {
  const fd = sys.open(path, flags | O_CLOEXEC, mode);
  try {
    return use(fd);
  } finally {
    sys.close(fd);
  }
}
