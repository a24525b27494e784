/** dracut, as it builds an image for any machine. */

import type { Kernel } from "../kernel.ts";
import { type PackedKey, peerImage, type Peer } from "./peer.ts";

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

/** The same with a key file in the image, which rd.luks.key= names. */
export function dracutWithKey({ path, text }: PackedKey): Peer {
  return {
    ...dracut,
    name: "keyed-dracut",
    files: { key: text },
    command: (version, to, folder) => [
      ...dracut.command(version, to, folder).slice(0, -1),
      ...["--include", `${folder}/key`, path, to],
    ],
  };
}

/** Its image for the kernel, from the cache; see peerImage(). */
export function dracutImage(kernel: Kernel): Promise<string> {
  return peerImage(dracut, kernel);
}
