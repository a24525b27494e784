/** More disks that only a guest can make: a btrfs over two of them, which takes the distribution's kernel, and encrypted swap. */

import { join } from "node:path";
import type { MakerRecipe } from "../maker.ts";
import { fillStock, makeUnderStockKernel } from "./stock.ts";
import { STORAGE } from "./basic.ts";

/** The UUID of the filesystem that btrfsMirror() makes. */
export const MIRROR_UUID = "b7b74d0e-0c5f-4a55-9d2e-51c7e0b7a00b";

/** Opens the disks of btrfsMirror() when they are encrypted. */
export const MIRROR_PASSPHRASE = "battery staple";

export interface Mirror {
  /** Each of the disks is a LUKS container of its own, all with MIRROR_PASSPHRASE. */
  readonly encrypted?: boolean;
}

/**
 * A btrfs over two disks, everything on both (raid1), with `init` as its /sbin/init; the two files, in the cache,
 * which must not be written to. Throws Error with the guest's console when it can't be made.
 */
export async function btrfsMirror(
  init: string,
  { encrypted = false }: Mirror = {},
): Promise<[string, string]> {
  const [first, second] = encrypted ? ["/dev/mapper/a", "/dev/mapper/b"] : ["/dev/vda", "/dev/vdb"];
  const files = ["first.img", "second.img"] as const;
  const dir = await makeUnderStockKernel({
    name: encrypted ? "btrfs-luks-mirror" : "btrfs-mirror",
    ...{ disks: files, size_mb: 160, init },
    tools: ["mkfs.btrfs", "cryptsetup"],
    drivers: ["btrfs", "dm_crypt"],
    script: [
      ...(encrypted ? [...encryption("/dev/vda", "a"), ...encryption("/dev/vdb", "b")] : []),
      ...fillStock(`mkfs.btrfs -q -f -U ${MIRROR_UUID} -d raid1 -m raid1 ${first}`, second, "btrfs"),
    ],
  });
  return [join(dir, files[0]), join(dir, files[1])];
}

/** One disk, a LUKS container with swap in it, that takes the memory of a small machine. */
export function luksSwap(uuid: string): MakerRecipe {
  const script = [
    `printf %s '${STORAGE.passphrase}' >/tmp/key`,
    `cryptsetup luksFormat -q --type luks2 --uuid ${STORAGE.luks} \\`,
    "  --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /tmp/key /dev/vda",
    "cryptsetup open --key-file /tmp/key /dev/vda clear",
    // Not the applet of that name, which gives no UUID.
    `/tools/mkswap -U ${uuid} /dev/mapper/clear`,
    "cryptsetup close clear",
    "",
  ];
  return { name: "luks-swap", disks: [{ name: "swap.img", size_mb: 528 }], script: script.join("\n") };
}

// Cheap key derivation: the guest is slow, and the passphrase is no secret.
function encryption(disk: string, name: string): string[] {
  return [
    `printf %s '${MIRROR_PASSPHRASE}' >/run/key`,
    `cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /run/key ${disk}`,
    `cryptsetup open --key-file /run/key ${disk} ${name}`,
  ];
}
