/** The versions of what the figures of the benchmark depend on. */

import { run } from "../host.ts";
import type { Kernel } from "../kernel.ts";

/** By name: what runs the guest, the kernel in it, and the runtime in rdinit. */
export async function madeWith(kernel: Kernel): Promise<Record<string, string>> {
  const qemu = await run(["qemu-system-x86_64", "--version"]);
  return {
    QEMU: /version (\S+)/.exec(qemu)?.[1] ?? "unknown",
    // "6.1.0-56-amd64" is the name, and the package behind it may change.
    kernel: kernel.version,
    Bun: Bun.version,
  };
}
