/** Whether a boot has enough memory. */

import { type BenchOptions, REAL_INIT, onMachine } from "./boot.ts";

/**
 * What the kernel, rdinit, dracut and initramfs-tools say when a boot comes to nothing: a process that was killed for its
 * memory is a failure, even if the boot goes on without it.
 */
export const FAILURE = new RegExp(
  [
    ...[
      "Kernel panic",
      "Out of memory",
      "invoked oom-killer",
      "deadlocked on memory",
      "Unable to mount root",
    ],
    ...[
      "Initramfs unpacking failed",
      "Cannot allocate memory",
      "No space left on device",
      "Segmentation fault",
    ],
    ...["rescue shell is forbidden", "emergency (mode|shell)", "dracut-initqueue: timeout", "dracut:/#"],
    ...["\\(initramfs\\)", "ALERT!", "Dropping to a shell"],
  ].join("|"),
);

/** A machine that has not come to its real init after so long never will, however busy the host is. */
const PATIENCE_MS = 300_000;

/**
 * Whether a machine of this size comes to its real init, and nothing fails before that. Time does not count here, so that
 * QEMU is as fast as it can be; a machine that fails is ended at its first word of it.
 */
export async function isEnough(options: BenchOptions): Promise<boolean> {
  const append = `${options.append} panic=-1 rd.shell=0 rd.emergency=reboot`;
  return onMachine({ ...options, append, fast: true, timeout_ms: PATIENCE_MS }, async ({ console }) => {
    const first = new RegExp(`${FAILURE.source}|(?<real>${REAL_INIT.source})`);
    const found = await console.expect(first, PATIENCE_MS).catch(() => undefined);
    return found?.groups?.["real"] !== undefined;
  });
}
