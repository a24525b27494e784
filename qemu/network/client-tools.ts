/**
 * The programs by which a client attaches disks of the network. They are taken from their packages and not installed:
 * installed, they would get into the images that initramfs-tools makes on this machine.
 */

import { keptFile } from "../cache.ts";
import { machineRelease } from "../userlands/apt.ts";
import { OPTIONS, mmdebstrap, squashed } from "../userlands/mmdebstrap.ts";
import { unpackTree } from "../userlands/trees.ts";

/** A squashfs of them, and of what else belongs to an image of such a client. Throws UserError when a program fails. */
export async function clientTree(): Promise<string> {
  const { codename = "" } = await machineRelease();
  const from = JSON.stringify([codename, PACKAGES, OPTIONS]);
  return keptFile("network-client.squashfs", from, (half) =>
    squashed(half, (tar) =>
      mmdebstrap(["--variant=extract", `--include=${PACKAGES.join(",")}`, codename, tar], {}),
    ),
  );
}

/** Unpacks them into `dir`, which must not exist. Throws UserError when a program fails. */
export async function unpackClient(dir: string): Promise<void> {
  await unpackTree(await clientTree(), dir);
}

const PACKAGES = ["nbd-client", "open-iscsi", "cryptsetup-bin", "busybox-static"];
