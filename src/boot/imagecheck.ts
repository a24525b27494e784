/** Whether the kernel unpacked the whole initramfs. */

import { exists } from "../../syscalls/index.ts";
import type { Boot } from "./context.ts";

/** The first and the last file of an image that the builder wrote. */
const first = "/etc/rdinit/image.json";
const last = "/etc/rdinit/end";

/**
 * The kernel goes on with what it could unpack of a truncated image. What is missing then fails later
 * and elsewhere, so this is said before it does.
 */
export function warnIfCutShort({ sys, log }: Boot): void {
  if (!exists(sys, first) || exists(sys, last)) return;
  log.error(
    "The initramfs was cut short: its last file is missing. The image file is truncated, or the machine has too " +
      "little memory to unpack it. What is missing may stop the boot; build the image anew, or boot another one.",
  );
}
