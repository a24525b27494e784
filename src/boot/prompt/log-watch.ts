/** Tells when lines of the log have been shown on the consoles, so that a question can be shown again below them. */

import {
  type Fd,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  SysError,
  type Syscalls,
  isErrno,
  readTextIfThere,
} from "../../../syscalls/index.ts";
import { fromBytes } from "../../lib/bytes.ts";

/** The records that come from now on. */
export interface LogWatch {
  readonly fd: Fd;
  /** Reads what has come; true when some of it is seen on the consoles. */
  readonly read: () => boolean;
}

/** Begins to watch the log at `path`; undefined where the kernel's log can't be read. The caller closes `fd`. */
export function watchLog(sys: Syscalls, path: string): LogWatch | undefined {
  try {
    const fd = sys.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const buffer = new Uint8Array(longestRecord_bytes);
    const level = readConsoleLevel(sys);
    const read = (): boolean => {
      let seen = false;
      for (let record = next(sys, fd, buffer); record !== undefined; record = next(sys, fd, buffer))
        if (isShown(record, level)) seen = true;
      return seen;
    };
    read();
    return { fd, read };
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
}

/**
 * True when a record of /dev/kmsg ("6,1234,5678,-;words", Documentation/ABI/testing/dev-kmsg) is seen on the
 * consoles: as the kernel's level says, and what programs say from "notice" on, which log.ts shows even with quiet.
 */
export function isShown(record: string, consoleLevel: number): boolean {
  const digits = /^\d+/.exec(record)?.[0];
  if (digits === undefined) return false;
  const priority = Number(digits);
  const level = priority & 7;
  return level < consoleLevel || (priority >> 3 !== 0 && level <= notice);
}

const notice = 5;
// CONSOLE_EXT_LOG_MAX of the kernel's printk_internal header.
const longestRecord_bytes = 8192;

// Undefined when there is none for now, or no more can be read.
function next(sys: Syscalls, fd: Fd, buffer: Uint8Array): string | undefined {
  for (;;) {
    try {
      const count = sys.read(fd, buffer);
      return count === 0 ? undefined : fromBytes(buffer.subarray(0, count));
    } catch (error) {
      // Records were overwritten before they were read; the next read gets the oldest that is left.
      if (isErrno(error, "EPIPE")) continue;
      if (error instanceof SysError) return undefined;
      throw error;
    }
  }
}

function readConsoleLevel(sys: Syscalls): number {
  const level = Number(readTextIfThere(sys, "/proc/sys/kernel/printk")?.trim().split(/\s+/)[0]);
  return Number.isInteger(level) ? level : 7;
}
