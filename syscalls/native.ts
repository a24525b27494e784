/** The running kernel, for programs that Bun runs. Apart from index.ts, which other runtimes may import. */

import { bunDriver } from "./bun.ts";
import { linux } from "./linux.ts";
import type { Syscalls } from "./types.ts";

/**
 * The calls of the running kernel. Make one and pass it around.
 * @throws UserError when system calls can't be made here: another processor architecture, no glibc
 */
export function linuxSyscalls(): Syscalls {
  return linux(bunDriver());
}
