/** Standard input and output of the real init. */

import { type Fd, O_NOCTTY, O_RDWR, type Syscalls } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import type { Log } from "../log.ts";

/**
 * Opens the new root's /dev/console afresh on descriptors 0, 1 and 2, one open file as the kernel does
 * (console_on_rootfs() in init/main.c). Without a console they are closed, as after a start by the kernel,
 * and the log says so. Never throws.
 */
export function openConsole(sys: Syscalls, log: Log): void {
  let console: Fd | undefined;
  try {
    console = sys.open("/dev/console", O_RDWR | O_NOCTTY);
    for (const fd of [0, 1, 2]) if (fd !== console) sys.dup3(console, fd, 0);
  } catch (error) {
    for (const fd of [0, 1, 2]) closeWhatever(sys, fd);
    log.warning(`the new init starts without a console: ${describe(error)}.`);
  }
  if (console !== undefined && console > 2) closeWhatever(sys, console);
}

// Linux closes a descriptor whatever it answers (close(2)), and one that was not open is closed too.
function closeWhatever(sys: Syscalls, fd: Fd): void {
  try {
    sys.close(fd);
  } catch {
    // As wanted.
  }
}
