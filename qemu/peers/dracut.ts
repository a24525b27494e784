/** dracut, as it builds an image for any machine. */

import type { Kernel } from "../kernel.ts";
import { peerImage, type Peer } from "./peer.ts";

export const dracut: Peer = {
  name: "dracut",
  package: "dracut-core",
  files: {},
  command: (version, to) => [
    "dracut",
    "--no-hostonly",
    "--no-hostonly-cmdline",
    "--force",
    "--kver",
    version,
    to,
  ],
};

/** Its image for the kernel, from the cache; see peerImage(). */
export function dracutImage(kernel: Kernel): Promise<string> {
  return peerImage(dracut, kernel);
}
