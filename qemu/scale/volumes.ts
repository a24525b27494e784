/** A disk with a volume group of many logical volumes. */

import { BENCH_UUID } from "../bench/boot.ts";
import type { MakerRecipe } from "../maker.ts";
import type { Tree } from "../tree.ts";

const ROOT_MB = 64;

/** In extents. */
const EXTENT_KB = 64;
const ROOT_EXTENTS = (ROOT_MB * 1024) / EXTENT_KB;

/** Volumes of one extent each, behind that of the root (vgcfgbackup(8)). */
const ADD_VOLUMES = `{ print } /logical_volumes [{]/ {
  for (i = 1; i < count; i++) {
    printf "v%d {\\nid = \\"%06d-aaaa-bbbb-cccc-dddd-eeee-ffffff\\"\\n", i, i
    print "status = [\\"READ\\", \\"WRITE\\", \\"VISIBLE\\"]\\nflags = []\\nsegment_count = 1"
    print "segment1 {\\nstart_extent = 0\\nextent_count = 1\\ntype = \\"striped\\"\\nstripe_count = 1"
    printf "stripes = [\\"pv0\\", %d]\\n}\\n}\\n", ${ROOT_EXTENTS} - 1 + i
  }
}`;

/** A group of `count` linear volumes, of which the last by name holds the root; the others are empty. */
export function volumesRecipe(count: number, tree: Tree): MakerRecipe {
  const root = "/dev/many/zroot";
  const script = [
    "lvm pvcreate -q -y --metadatasize 8m /dev/vda",
    `lvm vgcreate -q -s ${EXTENT_KB}k --autobackup n many /dev/vda`,
    `lvm lvcreate -q -y -Wn --autobackup n -L ${ROOT_MB}m -n zroot many`,
    `mkfs.ext4 -q -F -U ${BENCH_UUID} ${root}`,
    `mount -t ext4 ${root} /mnt`,
    "cp -a /tree/. /mnt/",
    "umount /mnt",
    "lvm vgchange -q -an many",
    // The others are written into the metadata at once: lvcreate writes all of it anew for each.
    "lvm vgcfgbackup -q -f /tmp/before many",
    `awk -v count=${count} '${ADD_VOLUMES}' /tmp/before >/tmp/after`,
    "lvm vgcfgrestore -q -f /tmp/after many",
    `[ $(lvm lvs --noheadings many | wc -l) = ${count} ]`,
  ];
  return {
    name: `scale-volumes-${count}`,
    disks: [{ name: "many.img", size_mb: ROOT_MB + 32 + Math.ceil(count / 16) }],
    script: `${script.join("\n")}\n`,
    tree,
    timeout_ms: 900_000,
  };
}
