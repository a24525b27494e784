/** /etc of an installed Debian whose root is ext4 in LUKS, on LVM, on RAID1, as its installer names and writes it. */

import type { Tree } from "../tree.ts";

/** Identifiers of all that the disks of a userland hold. */
export const USERLAND = {
  hostname: "debian",
  /** As mdadm prints it. */
  array: "7b2d1ef6:22bb33cc:44dd55ee:66ff7700",
  group: "debian-vg",
  luks: "3fae9d8c-7c6b-4d5e-9f3a-2b1c0d9e8f70",
  filesystem: "d1ffee00-2345-4678-8abc-def012345678",
  boot: "b0071e55-2345-4678-8abc-def012345678",
  passphrase: "battery staple",
  /** The mapping of the root, and the logical volumes, below /dev/mapper. */
  mapping: "debian--vg-root_crypt",
  volumes: { root: "debian--vg-root", boot: "debian--vg-boot", swap: "debian--vg-swap" },
} as const;

const FSTAB = `# <file system> <mount point> <type> <options> <dump> <pass>
/dev/mapper/${USERLAND.mapping} / ext4 errors=remount-ro 0 1
/dev/mapper/${USERLAND.volumes.boot} /boot ext4 defaults 0 2
/dev/mapper/${USERLAND.volumes.swap} none swap sw 0 0
`;

const MDADM_CONF = `HOMEHOST <system>
MAILADDR root
ARRAY /dev/md/0  metadata=1.2 UUID=${USERLAND.array} name=${USERLAND.hostname}:0
`;

/** Where the key file of the root lies, in the root itself; an image takes it from there. */
const KEY = "/etc/keys/root.key";

/** The files of /etc that all userlands share. crypttab names the key file, or asks for a passphrase. */
export function etcFiles(unlock: "key file" | "passphrase"): Tree {
  const key = unlock === "key file" ? KEY : "none";
  const crypttab = `${USERLAND.mapping} UUID=${USERLAND.luks} ${key} luks,x-initrd.attach\n`;
  const texts: Readonly<Record<string, string>> = {
    "/etc/hostname": `${USERLAND.hostname}\n`,
    "/etc/hosts": `127.0.0.1 localhost\n127.0.1.1 ${USERLAND.hostname}\n`,
    "/etc/resolv.conf": "",
    // With none, systemd takes this for the first boot of the machine and asks questions.
    "/etc/machine-id": "5d1e7c0fa2b84c63952d0b7e4f8a1c3d\n",
    "/etc/fstab": FSTAB,
    "/etc/crypttab": crypttab,
    "/etc/mdadm/mdadm.conf": MDADM_CONF,
  };
  return [
    ...Object.entries(texts).map(([path, text]) => ({ path, kind: "text", text }) as const),
    ...(unlock === "key file"
      ? [{ path: KEY, kind: "text", text: USERLAND.passphrase, mode: 0o400 } as const]
      : []),
  ];
}
