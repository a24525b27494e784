/**
 * The programs by which a client attaches disks of the network. They are taken from their packages and not installed:
 * installed, they would get into the images that initramfs-tools makes on this machine.
 */

import { kept } from "../host.ts";
import { machineRelease } from "../userlands/apt.ts";
import { OPTIONS, mmdebstrap, squashed } from "../userlands/mmdebstrap.ts";
import { unpackTree } from "../userlands/trees.ts";

/** Unpacks them into `dir`, which must not exist, with what belongs to an image. Throws UserError when a program fails. */
export async function unpackClient(dir: string): Promise<void> {
  const { codename = "" } = await machineRelease();
  const from = JSON.stringify([codename, PACKAGES, OPTIONS]);
  const tree = await kept("network-client.squashfs", from, (half) =>
    squashed(half, (tar) =>
      mmdebstrap(["--variant=extract", `--include=${PACKAGES.join(",")}`, codename, tar], {}),
    ),
  );
  await unpackTree(tree, dir);
}

const PACKAGES = ["nbd-client", "open-iscsi", "cryptsetup-bin", "busybox-static"];
