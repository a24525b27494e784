/** The kernel's calls, typed, over whatever makes them. */

import type { Driver } from "./driver.ts";
import { devices } from "./linux/devices.ts";
import { descriptors, names } from "./linux/files.ts";
import { Kernel } from "./linux/kernel.ts";
import { modules } from "./linux/modules.ts";
import { netlink } from "./linux/netlink.ts";
import { processes } from "./linux/processes.ts";
import { slow } from "./linux/slow.ts";
import { tree } from "./linux/tree.ts";
import type { Syscalls } from "./types.ts";

/**
 * The calls of the running kernel, made by `driver`. Kernels from 5.6 on have all of them but
 * close_range (5.9), which fails with ENOSYS before; other absences surface as ENOSYS too.
 * @throws UserError on a processor architecture whose calls are not known
 */
export function linux(driver: Driver): Syscalls {
  const k = new Kernel(driver);
  return {
    ...names(k),
    ...descriptors(k),
    ...tree(k),
    ...processes(k),
    ...modules(k),
    ...netlink(k),
    ...devices(k),
    slow: slow(k),
  };
}
