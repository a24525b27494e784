/** initramfs-tools with Debian's own settings, which build an image for any machine. */

import type { Kernel } from "../kernel.ts";
import { type PackedKey, peerImage, type Peer } from "./peer.ts";

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

/**
 * The same with cryptsetup-initramfs, a key file in the image, and the lines that its hook would write for a machine
 * with that encrypted volume (KEYFILE_PATTERN in conf-hook, crypttab(5)): here is none that it could examine.
 */
export function initramfsToolsWithKey({ path, text, uuid }: PackedKey): Peer {
  const hook = [
    "#!/bin/sh",
    'if [ "$1" = prereqs ]; then exit 0; fi',
    `mkdir -p "$DESTDIR/cryptroot" "$DESTDIR$(dirname ${path})"`,
    `printf %s '${text}' >"$DESTDIR${path}"`,
    `echo 'clear UUID=${uuid} ${path} luks' >"$DESTDIR/cryptroot/crypttab"`,
  ];
  return {
    ...initramfsTools,
    name: "keyed-initramfs-tools",
    unpacked: ["cryptsetup", "cryptsetup-initramfs"],
    files: { ...initramfsTools.files, "hooks/key": `${hook.join("\n")}\n` },
  };
}

/** Its image for the kernel, from the cache; see peerImage(). */
export function initramfsToolsImage(kernel: Kernel): Promise<string> {
  return peerImage(initramfsTools, kernel);
}
