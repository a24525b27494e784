/** The rescue shell: for the person at the console, when the boot can't go on. */

import {
  type Fd,
  O_CLOEXEC,
  O_NOCTTY,
  O_RDWR,
  SysError,
  type Syscalls,
  X_OK,
} from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import { setUpConsole } from "../prompt/keyboard.ts";
import { installApplets, shell } from "./shell-words.ts";
import { consolePaths } from "../prompt/terminals.ts";
import { startProgram } from "../children/spawn.ts";

/** Why no shell may be started, a sentence; undefined when one may. */
export function shellObstacle(boot: Boot, wasGuessed = false): string | undefined {
  const allowed = boot.options.shell;
  if (allowed === false) return "The rescue shell is forbidden by rd.shell=0.";
  // Whoever guesses at passphrases, or waits, until the boot fails must not come to be root by it (CVE-2016-4484).
  if (allowed === undefined && wasGuessed)
    return "No rescue shell is started, as nobody gave the right passphrase; rd.shell=1 would allow it.";
  if (!hasShell(boot)) return "The image holds no rescue shell.";
  // It would end at once, and the boot be tried again without an end.
  const fault = whyNoTerminal(boot.sys, consoleTerminal(boot.sys));
  return fault === undefined
    ? undefined
    : `No rescue shell is started, as the console can't be opened: ${fault}.`;
}

/** True when the image holds one. */
export function hasShell(boot: Boot): boolean {
  try {
    boot.sys.access(shell, X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs the shell in the middle of the boot, where rd.break= asks for it. Says why not when there is none. */
export async function breakAt(boot: Boot, point: string): Promise<void> {
  const obstacle = shellObstacle(boot);
  if (obstacle !== undefined) {
    boot.log.warning(`rd.break=${point} is passed over. ${obstacle}`);
    return;
  }
  boot.log.notice(
    `the boot is stopped before ${point}, as rd.break= asks. Leave the shell by \`exit\` to go on.`,
  );
  await runRescueShell(boot);
  boot.log.notice("the shell was left; the boot goes on.");
}

/**
 * Runs a shell on the console until it is left. It leads a session of its own, so that job control
 * and Ctrl-C work; the terminal is put back to how it was.
 */
export async function runRescueShell(boot: Boot): Promise<void> {
  const { sys, log } = boot;
  await setUpConsole(boot);
  const tty = consoleTerminal(sys);
  const saved = saveTerminal(sys, tty);
  // The session leader's first open of a terminal makes it the controlling one; /dev/console never becomes one.
  const command = `${installApplets}; exec ${shell} -i <"$RDINIT_TTY" >"$RDINIT_TTY" 2>&1`;
  const child = startProgram(boot, {
    argv: [shell, "-c", command],
    env: { PS1: "rdinit# ", RDINIT_TTY: tty },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const span = boot.timing.begin("person", "the rescue shell");
  if (typeof child === "string") log.error(`The rescue shell ${shell} ${child}.`);
  else
    await child.exited.catch((error: unknown) => log.error(`The rescue shell is lost: ${describe(error)}.`));
  span.ends();
  restoreTerminal(sys, tty, saved);
}

/** The terminal behind /dev/console. */
function consoleTerminal(sys: Syscalls): string {
  return consolePaths(sys).at(-1) ?? "/dev/console";
}

function whyNoTerminal(sys: Syscalls, tty: string): string | undefined {
  try {
    sys.close(sys.open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC));
    return undefined;
  } catch (error) {
    return describe(error);
  }
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
