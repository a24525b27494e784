/** The one error that the kernel's refusals become. */

import { text } from "../src/lib/bytes.ts";

/** A failed system call, shaped like Node's ErrnoException. */
export class SysError extends Error {
  override readonly name = "SysError";
  /** The call, as its man page is named: "mount", "openat". */
  readonly syscall: string;
  /** The positive errno value. */
  readonly errno: number;
  /** Its name: "ENOENT". */
  readonly code: string;
  /** What it means, in a few words: "no such file or directory". */
  readonly meaning: string;
  /** The path or name that the call was about, when there was one (a byte string). */
  readonly path: string | undefined;

  constructor(syscall: string, errno: number, code: string, meaning: string, path?: string) {
    super(`${syscall}${path === undefined ? "" : ` ${text(path)}`}: ${meaning} (${code})`);
    this.syscall = syscall;
    this.errno = errno;
    this.code = code;
    this.meaning = meaning;
    this.path = path;
  }
}

/** True when `thrown` is a SysError with one of these errno names. */
export function isErrno(thrown: unknown, ...codes: string[]): thrown is SysError {
  return thrown instanceof SysError && codes.includes(thrown.code);
}
