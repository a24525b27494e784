/** The rescue shell: for the person at the console, when the boot can't go on. */

import {
  type ChildStatus,
  type Fd,
  O_CLOEXEC,
  O_NOCTTY,
  O_RDWR,
  SysError,
  type Syscalls,
  WEXITED,
  X_OK,
  isErrno,
  readTextIfThere,
} from "../../syscalls/index.ts";
import { describe } from "../lib/errors.ts";
import type { Boot } from "./context.ts";

const shell = "/bin/sh";

/** True when the image holds a shell and the command line allows it. */
export function hasRescueShell(boot: Boot): boolean {
  if (!boot.options.shell) return false;
  try {
    boot.sys.access(shell, X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs a shell on the console until it is left. It leads a session of its own, so that job control
 * and Ctrl-C work; the terminal is put back to how it was.
 */
export async function runRescueShell(boot: Boot): Promise<void> {
  const { sys, log } = boot;
  const tty = consoleTerminal(sys);
  const saved = saveTerminal(sys, tty);
  // An image names only two of busybox's applets (src/image/busybox.ts); a person wants them all.
  const install = "if [ -x $b ]; then $b mkdir -p /bin /sbin /usr/bin /usr/sbin; $b --install -s; fi";
  // The session leader's first open of a terminal makes it the controlling one; /dev/console never becomes one.
  const command = `b=/bin/busybox; ${install}; unset b; exec ${shell} -i <"$RDINIT_TTY" >"$RDINIT_TTY" 2>&1`;
  try {
    const child = Bun.spawn([shell, "-c", command], {
      cwd: "/",
      env: {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        HOME: "/",
        TERM: "linux",
        PS1: "rdinit# ",
        RDINIT_TTY: tty,
      },
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
    });
    await reapUntilEnd(sys, child);
  } catch (error) {
    log.error(`The rescue shell could not be started: ${describe(error)}.`);
  }
  restoreTerminal(sys, tty, saved);
}

/**
 * The runtime waits for its own child, and is often faster than a peek at who has ended. Orphans of the
 * shell become our children: those are reaped here. A peek that is left under way takes nothing away.
 */
async function reapUntilEnd(sys: Syscalls, ours: { pid: number; exited: Promise<number> }): Promise<void> {
  const left = ours.exited.then(() => undefined);
  for (;;) {
    const ended = await Promise.race([left, peekChild(sys)]);
    if (ended === undefined || ended.pid === ours.pid) break;
    sys.waitid(ended.pid, WEXITED);
  }
  await left;
}

async function peekChild(sys: Syscalls): Promise<ChildStatus | undefined> {
  try {
    return await sys.slow.peekChild();
  } catch (error) {
    if (isErrno(error, "ECHILD")) return undefined;
    throw error;
  }
}

/** The terminal behind /dev/console: the last that the kernel lists as active (Documentation/ABI, sysfs-tty). */
function consoleTerminal(sys: Syscalls): string {
  const active = readTextIfThere(sys, "/sys/class/tty/console/active")?.trim().split(" ").at(-1);
  // tty0 stands for whichever virtual console is in front.
  return active ? `/dev/${active}` : "/dev/console";
}

function saveTerminal(sys: Syscalls, tty: string): Uint8Array | undefined {
  return onTerminal(sys, tty, (fd) => sys.getTermios(fd));
}

function restoreTerminal(sys: Syscalls, tty: string, termios: Uint8Array | undefined): void {
  if (termios !== undefined) onTerminal(sys, tty, (fd) => sys.setTermios(fd, termios));
}

function onTerminal<T>(sys: Syscalls, tty: string, use: (fd: Fd) => T): T | undefined {
  try {
    const fd = sys.open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
    try {
      return use(fd);
    } finally {
      sys.close(fd);
    }
  } catch (error) {
    // A shell on a terminal that can't be put back is better than none.
    if (error instanceof SysError) return undefined;
    throw error;
  }
}
