/** A disk with a volume group of many logical volumes. */

import { BENCH_UUID } from "../bench/boot.ts";
import type { MakerRecipe } from "../maker.ts";
import type { Tree } from "../tree.ts";

const ROOT_MB = 64;

/** A group of `count` linear volumes, of which the last by name holds the root; the others are empty. */
export function volumesRecipe(count: number, tree: Tree): MakerRecipe {
  const root = "/dev/many/zroot";
  const script = [
    "lvm pvcreate -q -y --metadatasize 8m /dev/vda",
    "lvm vgcreate -q -s 64k --maxlogicalvolumes 0 --autobackup n many /dev/vda",
    `lvm lvcreate -q -y -Wn --autobackup n -L ${ROOT_MB}m -n zroot many`,
    `mkfs.ext4 -q -F -U ${BENCH_UUID} ${root}`,
    `mount -t ext4 ${root} /mnt`,
    "cp -a /tree/. /mnt/",
    "umount /mnt",
    // One command of a shell of lvm's own each: reading the metadata once more for each would take minutes.
    `i=1; while [ $i -lt ${count} ]; do echo "lvcreate -q -y -Wn -Zn -an --autobackup n -l 1 -n v$i many"; i=$((i+1)); done >/tmp/commands`,
    "lvm </tmp/commands >/tmp/made 2>&1 || { tail /tmp/made; false; }",
    `[ $(lvm lvs --noheadings many | wc -l) = ${count} ]`,
    "lvm vgchange -q -an many",
  ];
  return {
    name: `scale-volumes-${count}`,
    disks: [{ name: "many.img", size_mb: ROOT_MB + 32 + Math.ceil(count / 16) }],
    script: `${script.join("\n")}\n`,
    tree,
    timeout_ms: 900_000,
  };
}
