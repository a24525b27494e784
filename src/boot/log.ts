/**
 * What rdinit says: into the kernel's log, and onto the consoles.
 *
 * Everything goes to /dev/kmsg, so that dmesg and the journal have it later and every console that
 * the kernel speaks on shows it. What a person must see although the console's log level hides it
 * (`quiet`) goes to /dev/console as well. Follows Documentation/ABI/testing/dev-kmsg.
 */

import { O_CLOEXEC, O_NOCTTY, O_WRONLY, type Syscalls, readTextIfThere } from "../../syscalls/index.ts";

/** syslog(2) levels. */
export type Level = "error" | "warning" | "notice" | "info" | "debug";

export interface Log {
  /** Something failed; the person must see it. */
  error(message: string): void;
  /** Something is not as it should be, and the boot goes on. */
  warning(message: string): void;
  /** Something that the person waits for; seen on the console even with `quiet`. */
  notice(message: string): void;
  /** A step of the boot. */
  info(message: string): void;
  /** Only with `debug`. */
  debug(message: string): void;
}

/** A log that goes nowhere but to `say`; for tests and for the command-line tool. */
export function plainLog(say: (level: Level, message: string) => void): Log {
  return {
    error: (message) => say("error", message),
    warning: (message) => say("warning", message),
    notice: (message) => say("notice", message),
    info: (message) => say("info", message),
    debug: (message) => say("debug", message),
  };
}

/**
 * The log of process 1. `debug` says whether debug messages are wanted, `info` whether each step is shown whatever the
 * console's log level is. It never throws: a machine without a console must boot as well.
 */
export function kernelLog(sys: Syscalls, debug: () => boolean, info = (): boolean => false): Log {
  const consoleLevel = readConsoleLevel(sys);
  // Held open for the last words after the rootfs is gone.
  const kmsg = tryOpen(sys, "/dev/kmsg");
  const console = tryOpen(sys, "/dev/console");
  return plainLog((level, message) => {
    if (level === "debug" && !debug()) return;
    for (const line of wrap(`rdinit: ${message}`)) {
      const logged = writeKmsg(sys, kmsg, `<${kernelLevels[level]}>${line}\n`);
      const shownByKernel = logged && kernelLevels[level] < consoleLevel;
      if (shownByKernel || (level === "info" && !info()) || level === "debug" || console === undefined)
        continue;
      tryWrite(sys, console, `${line}\r\n`);
    }
  });
}

const kernelLevels: Readonly<Record<Level, number>> = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 };

// The kernel refuses a record of more than LOG_LINE_MAX bytes (1024 minus its prefix) with EINVAL.
const longestLine_bytes = 900;

function wrap(message: string): string[] {
  const lines: string[] = [];
  let rest = message.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ");
  for (let fits = fitting(rest); fits < rest.length; fits = fitting(rest)) {
    const space = rest.lastIndexOf(" ", fits);
    const cut = space > fits / 2 ? space : fits;
    lines.push(rest.slice(0, cut));
    rest = `rdinit:   ${rest.slice(cut).trimStart()}`;
  }
  lines.push(rest);
  return lines;
}

// How much of a text its first bytes hold in UTF-8, no character cut in two.
function fitting(text: string): number {
  return new TextEncoder().encodeInto(text, new Uint8Array(longestLine_bytes)).read;
}

// The kernel limits each *open* of /dev/kmsg to ten lines in five seconds; a fresh one starts afresh.
function writeKmsg(sys: Syscalls, held: number | undefined, record: string): boolean {
  const fresh = tryOpen(sys, "/dev/kmsg");
  const fd = fresh ?? held;
  const written = fd !== undefined && tryWrite(sys, fd, record);
  if (fresh !== undefined) tryClose(sys, fresh);
  return written;
}

function tryOpen(sys: Syscalls, path: string): number | undefined {
  try {
    return sys.open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
  } catch {
    return undefined;
  }
}

function tryWrite(sys: Syscalls, fd: number, line: string): boolean {
  try {
    sys.write(fd, Buffer.from(line, "utf8"));
    return true;
  } catch {
    return false;
  }
}

function tryClose(sys: Syscalls, fd: number): void {
  try {
    sys.close(fd);
  } catch {
    // Closed all the same (close(2)).
  }
}

// What is logged at a level below this one, the kernel shows on its consoles (proc(5), kernel/printk).
function readConsoleLevel(sys: Syscalls): number {
  try {
    // It takes our records then without a word, and shows none (printk.devkmsg= in kernel-parameters.txt).
    if (readTextIfThere(sys, "/proc/sys/kernel/printk_devkmsg")?.trim() === "off") return 0;
    const level = Number(readTextIfThere(sys, "/proc/sys/kernel/printk")?.trim().split(/\s+/)[0]);
    return Number.isInteger(level) ? level : 7;
  } catch {
    return 7;
  }
}
