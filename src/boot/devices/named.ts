/** Devices that somebody has named, by a parameter or in a file of the image, are waited for, though the root is there. */

import { UserError } from "../../lib/errors.ts";
import type { BlockDevices } from "./blockdevices.ts";
import type { Boot } from "../context.ts";
import type { Layers } from "../storage/layer.ts";
import { waitForDevices } from "./wait-devices.ts";

/** How long when rd.timeout=0 or rootwait waits for the root for ever: they may be gone for good. */
const longest_ms = 30_000;

/**
 * Waits for them, no longer than for the root. What does not come is told, and the real system may do without; but for
 * an array, which is required unless rd.md.optional= says otherwise.
 * @throws UserError when something that is required did not come
 */
export async function waitForNamed(boot: Boot, devices: BlockDevices, layers: Layers): Promise<void> {
  const here = await waitForDevices(boot, devices, layers, {
    what: () => `${list(layers)}, which the command line or crypttab names`,
    look: async () => (layers.lacks().length === 0 ? true : undefined),
    timeout_ms: boot.options.deviceTimeout_ms ?? longest_ms,
  });
  if (here !== undefined) return;
  for (const problem of layers.problems()) boot.log.error(problem);
  const required = layers.lacks().filter((lack) => lack.required);
  if (required.length > 0)
    throw new UserError(
      `The root is there, but not what else is required: ${required.map(({ what }) => what).join(", ")}.`,
      "rd.md.optional=UUID boots without an array.",
    );
  boot.log.warning(`${list(layers)} did not appear; the boot goes on, as the root is there.`);
}

function list(layers: Layers): string {
  return layers
    .lacks()
    .map(({ what }) => what)
    .join(", ");
}
