/** Disks with layers that the small kernel has no driver for: a linear array with partitions, a cached volume. */

import { join } from "node:path";
import { LVM } from "./lvm.ts";
import { fillStock, makeUnderStockKernel } from "./stock.ts";

export const LAYERS = {
  /** The array; a name that ends with a digit has a p before the numbers of its partitions. */
  array: "7b2d1e0c:0a0b0c0d:a1b2c3d4:1f2e3d4c",
  array_name: "linear0",
} as const;

/** A linear array of two disks, the root on its first partition; and a volume group of two with the root cached. */
export interface LayerDisks {
  readonly linear: readonly string[];
  readonly cached: readonly string[];
}

const { group, root } = LVM;
const CONFIG = "--config 'activation{udev_sync=0 udev_rules=0 monitoring=0} devices{use_devicesfile=0}'";

/** The disks, in the cache; `init` is the roots' /sbin/init. Throws Error with the guest's console. */
export async function layerDisks(init: string): Promise<LayerDisks> {
  const linear = ["linear0.img", "linear1.img"];
  const cached = ["slow.img", "fast.img"];
  const dir = await makeUnderStockKernel({
    name: "layers",
    ...{ disks: [...linear, ...cached], size_mb: 48, init },
    tools: ["mdadm", "lvm", "mkfs.ext4"],
    drivers: ["ext4", "linear", "dm_mod", "dm_cache", "dm_cache_smq"],
    script: [
      "export MDADM_NO_UDEV=1",
      `mdadm --create /dev/md0 --run --level=linear --raid-devices=2 --metadata=1.2 --uuid=${LAYERS.array} \\`,
      `  --homehost=any --name=${LAYERS.array_name} /dev/vda /dev/vdb`,
      "printf 'o\\nn\\np\\n1\\n\\n\\nw\\n' | $b fdisk /dev/md0",
      ...fillStock("mkfs.ext4 -q -F", "/dev/md0p1", "ext4"),
      "mdadm --stop /dev/md0",
      `lvm vgcreate -q ${CONFIG} ${group} /dev/vdc /dev/vdd`,
      `lvm lvcreate -q -y ${CONFIG} -Wn -L 32M -n ${root} ${group} /dev/vdc`,
      `lvm lvcreate -q -y ${CONFIG} --type cache-pool -L 12M -n fast ${group} /dev/vdd`,
      `lvm lvconvert -q -y ${CONFIG} --type cache --cachepool ${group}/fast ${group}/${root}`,
      ...fillStock(`mkfs.ext4 -q -F -U ${LVM.filesystem}`, `/dev/${group}/${root}`, "ext4"),
      `lvm vgchange -q ${CONFIG} -an ${group}`,
    ],
  });
  const files = (names: readonly string[]) => names.map((name) => join(dir, name));
  return { linear: files(linear), cached: files(cached) };
}
