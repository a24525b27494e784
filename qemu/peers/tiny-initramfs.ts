/** tiny-initramfs: a C program that loads a list of modules, waits for the root and mounts it. No arrays, no volumes. */

import type { Kernel } from "../kernel.ts";
import { peerImage, type Peer } from "./peer.ts";

export const tinyInitramfs: Peer = {
  name: "tiny-initramfs",
  package: "tiny-initramfs-core",
  unpacked: ["tiny-initramfs-core"],
  files: {},
  // The modules are named, as those of the build machine's own root would be taken otherwise.
  command: (version, to) => [
    ...["mktirfs", "-o", to, "--auto-modules=no", "--microcode=no"],
    ...["--include-modules=virtio_pci,virtio_blk,ext4", version],
  ],
};

/** Its image for the kernel, from the cache; see peerImage(). */
export function tinyInitramfsImage(kernel: Kernel): Promise<string> {
  return peerImage(tinyInitramfs, kernel);
}
