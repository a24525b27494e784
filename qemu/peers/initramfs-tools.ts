/** initramfs-tools with Debian's own settings, which build an image for any machine. */

import type { Kernel } from "../kernel.ts";
import { peerImage, type Peer } from "./peer.ts";

export const initramfsTools: Peer = {
  name: "initramfs-tools",
  package: "initramfs-tools-core",
  // In place of /etc/initramfs-tools, which this machine may have changed.
  files: {
    "initramfs.conf":
      "MODULES=most\nBUSYBOX=auto\nKEYMAP=n\nCOMPRESS=zstd\nDEVICE=\nNFSROOT=auto\nRUNSIZE=10%\nFSTYPE=auto\n",
    modules: "",
    "conf.d/": "",
    "hooks/": "",
    "scripts/": "",
  },
  command: (version, to, folder) => ["mkinitramfs", "-d", folder, "-o", to, version],
};

/** Its image for the kernel, from the cache; see peerImage(). */
export function initramfsToolsImage(kernel: Kernel): Promise<string> {
  return peerImage(initramfsTools, kernel);
}
