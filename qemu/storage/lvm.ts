/** Disks with logical volumes of every kind that an LVM root can have, made in a guest. */

import type { MakerRecipe } from "../maker.ts";
import type { Tree } from "../tree.ts";

/** Identifiers of what the recipes make. Names have hyphens, which device-mapper doubles. */
export const LVM = {
  group: "vg-a",
  root: "lv-b",
  /** A volume beside the root, which no boot needs. */
  other: "other",
  filesystem: "1f5b7c1e-5a3f-4a64-9d4c-7d1b0a5c2e01",
  physical: ["Ap1sJk-Q2xA-7mLr-T0ve-9YdC-hW5u-KzN3fE", "8Xqd1s-Q2xA-7mLr-T0ve-9YdC-hW5u-KzN3fE"],
} as const;

/** How the root's volume is laid out. */
export type Layout = "linear" | "striped" | "spanned" | "raid1" | "mirror" | "snapshot" | "thin";

interface Shape {
  readonly disks: 1 | 2;
  /** Commands that make the root's volume in an empty group, without file system. */
  readonly make: readonly string[];
  /** Commands behind the writing of the file system. */
  readonly after?: readonly string[];
}

const CREATE = "lvm lvcreate -q -y -Wn";
const { group, root, other } = LVM;

const SHAPES: Readonly<Record<Layout, Shape>> = {
  linear: { disks: 1, make: [`${CREATE} -L 32M -n ${root} ${group}`] },
  striped: { disks: 2, make: [`${CREATE} -i 2 -L 32M -n ${root} ${group}`] },
  // More than one disk can hold.
  spanned: { disks: 2, make: [`${CREATE} -L 112M -n ${root} ${group}`] },
  raid1: { disks: 2, make: [`${CREATE} --type raid1 -m 1 --nosync -L 32M -n ${root} ${group}`] },
  mirror: {
    disks: 2,
    make: [`${CREATE} --type mirror -m 1 --mirrorlog core --nosync -L 32M -n ${root} ${group}`],
  },
  snapshot: {
    disks: 1,
    // The snapshot comes first by name.
    make: [`${CREATE} -L 32M -n ${root} ${group}`],
    after: [
      `lvm lvcreate -q -y -s -L 8M -n a-before ${group}/${root}`,
      `mount -t ext4 /dev/${group}/${root} /mnt`,
      "echo later >/mnt/later",
      "umount /mnt",
    ],
  },
  thin: { disks: 1, make: [`lvm lvcreate -q -y -L 40M -V 32M -T ${group}/pool -n ${root}`] },
};

/** The disks: a group on all of them, the root in one volume, and a small other volume beside it. `name` tells trees apart. */
export function lvmDisks(layout: Layout, tree: Tree, name = ""): MakerRecipe {
  const { disks, make, after = [] } = SHAPES[layout];
  const nodes = ["/dev/vda", "/dev/vdb"].slice(0, disks);
  const script = [
    ...nodes.map((node, at) => `lvm pvcreate -q -y --uuid ${LVM.physical[at]} --norestorefile ${node}`),
    `lvm vgcreate -q ${group} ${nodes.join(" ")}`,
    ...make,
    `${CREATE} -L 4M -n ${other} ${group}`,
    `mkfs.ext4 -q -F -U ${LVM.filesystem} /dev/${group}/${root}`,
    `mount -t ext4 /dev/${group}/${root} /mnt`,
    "cp -a /tree/. /mnt/",
    "umount /mnt",
    ...after,
    `lvm vgchange -q -an ${group}`,
  ];
  return {
    name: `lvm-${layout}${name}`,
    disks: nodes.map((_, at) => ({ name: `disk${at}.img`, size_mb: 80 })),
    script: `${script.join("\n")}\n`,
    tree,
  };
}

/** The names of two groups that are not for this machine, each with a volume "data". */
export const STRANGE = { exported: "moved", foreign: "theirs" } as const;

/** Two disks: a group that was exported, and one that belongs to a system of another name. */
export function strangeGroups(): MakerRecipe {
  const script = [
    ...groupWithData(STRANGE.exported, "/dev/vda"),
    `lvm vgexport ${STRANGE.exported}`,
    ...groupWithData(STRANGE.foreign, "/dev/vdb"),
    `lvm vgchange -y --systemid elsewhere ${STRANGE.foreign}`,
    "",
  ];
  const disks = ["exported.img", "foreign.img"].map((name) => ({ name, size_mb: 16 }));
  return { name: "lvm-strange", disks, script: script.join("\n") };
}

function groupWithData(name: string, node: string): string[] {
  return [
    `lvm vgcreate -q ${name} ${node}`,
    `${CREATE} -L 8M -n data ${name}`,
    `lvm vgchange -q -an ${name}`,
  ];
}
