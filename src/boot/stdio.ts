/** Standard input and output of the real init. */

import { O_NOCTTY, O_RDWR, type Syscalls, isErrno } from "../../syscalls/index.ts";

/**
 * Opens the new root's /dev/console afresh on descriptors 0, 1 and 2, one open file as the kernel does
 * (console_on_rootfs() in init/main.c). Without a console they are closed, as after a start by the kernel.
 */
export function openConsole(sys: Syscalls): void {
  try {
    const console = sys.open("/dev/console", O_RDWR | O_NOCTTY);
    for (const fd of [0, 1, 2]) if (fd !== console) sys.dup3(console, fd, 0);
    if (console > 2) sys.close(console);
  } catch {
    for (const fd of [0, 1, 2]) closeIfOpen(sys, fd);
  }
}

function closeIfOpen(sys: Syscalls, fd: number): void {
  try {
    sys.close(fd);
  } catch (error) {
    if (!isErrno(error, "EBADF")) throw error;
  }
}
