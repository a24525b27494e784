/** What the kernel gave process 1, read before anything else can change it. */

import {
  CLOSE_RANGE_CLOEXEC,
  FD_CLOEXEC,
  F_SETFD,
  RLIMIT_NOFILE,
  type Syscalls,
  isErrno,
  readText,
} from "../../syscalls/index.ts";
import { describe } from "../lib/errors.ts";
import type { Log } from "./log.ts";
import type { Legacy } from "./context.ts";

/**
 * Reads argv and environment as the kernel wrote them (proc(5): /proc/self/cmdline and environ keep
 * the original strings although the stub gave the runtime others), the limit and the time that the stub noted.
 */
export function readLegacy(sys: Syscalls, environment: NodeJS.ProcessEnv): Legacy {
  return {
    args: strings(readText(sys, "/proc/self/cmdline")).slice(1),
    env: strings(readText(sys, "/proc/self/environ")),
    openFiles: readLimit(environment["RDINIT_NOFILE"]),
    started_ns: readTime(environment["RDINIT_STARTED"]),
  };
}

function strings(block: string): string[] {
  return block === "" ? [] : block.replace(/\0$/, "").split("\0");
}

// The kernel's INR_OPEN_CUR and INR_OPEN_MAX, for a start without the stub.
const kernelDefault = { soft: 1024n, hard: 4096n };

function readLimit(noted: string | undefined): Legacy["openFiles"] {
  const match = /^(\d{1,20}):(\d{1,20})$/.exec(noted ?? "");
  return match === null ? kernelDefault : { soft: BigInt(match[1] ?? 0), hard: BigInt(match[2] ?? 0) };
}

function readTime(noted: string | undefined): bigint | undefined {
  return /^\d{1,19}$/.test(noted ?? "") ? BigInt(noted ?? "") : undefined;
}

/**
 * Makes process 1 what it was when the kernel started it, as far as exec(2) would keep the difference:
 * ignored signals, the blocked set, the limit on open files, the umask, and open descriptors above 2.
 */
export function restoreProcess(sys: Syscalls, log: Log, legacy: Legacy): void {
  const steps: readonly [string, () => void][] = [
    ["the limit on open files", () => sys.setrlimit(RLIMIT_NOFILE, legacy.openFiles)],
    ["ignored signals", () => resetIgnoredSignals(sys)],
    ["the signal mask", () => sys.unblockSignals()],
    ["the umask", () => void sys.umask(0o022)],
    ["open files", () => closeOnExec(sys)],
  ];
  for (const [what, restore] of steps) {
    try {
      restore();
    } catch (error) {
      log.warning(`${what} could not be put back for the new init: ${describe(error)}.`);
    }
  }
}

// Handlers end with the exec by themselves, and the runtime still needs its own until then.
function resetIgnoredSignals(sys: Syscalls): void {
  forEach(
    Array.from({ length: 64 }, (_, index) => index + 1),
    (signal) => {
      if (sys.disposition(signal) === "ignored") sys.resetSignal(signal);
    },
  );
}

// All of them, also those behind one that failed; the first error is thrown at the end.
function forEach(numbers: readonly number[], act: (number: number) => void): void {
  const errors: unknown[] = [];
  for (const number of numbers) {
    try {
      act(number);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

// Not closed but marked: should the exec fail, the last words still need their console.
function closeOnExec(sys: Syscalls): void {
  try {
    sys.closeRange(3, 0xffffffff, CLOSE_RANGE_CLOEXEC);
  } catch (error) {
    if (!isErrno(error, "ENOSYS", "EINVAL")) throw error;
    // Linux before 5.11.
    forEach(
      Array.from({ length: 4093 }, (_, index) => index + 3),
      (fd) => markIfOpen(sys, fd),
    );
  }
}

function markIfOpen(sys: Syscalls, fd: number): void {
  try {
    sys.fcntl(fd, F_SETFD, FD_CLOEXEC);
  } catch (error) {
    if (!isErrno(error, "EBADF")) throw error;
  }
}
