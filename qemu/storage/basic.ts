/** Disks with arrays, volume groups and encryption, made in a guest: recipes with fixed identifiers. */

import type { MakerRecipe } from "../maker.ts";
import type { Tree } from "../tree.ts";

/** Identifiers of everything that the recipes make. */
export const STORAGE = {
  /** As mdadm prints it, and as blkid does. */
  array: "6a1c0de5:11aa22bb:33cc44dd:55ee66ff",
  array_blkid: "6a1c0de5-11aa-22bb-33cc-44dd55ee66ff",
  array_name: "bootarray",
  physical_volume: "Bp1sJk-Q2xA-7mLr-T0ve-9YdC-hW5u-KzN3fE",
  group: "bootgroup",
  volume: "boot-root",
  luks: "2f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f",
  passphrase: "correct horse",
  filesystem: "c0ffee00-1234-4567-89ab-cdef01234567",
  label: "bootroot",
} as const;

const DISKS = [
  { name: "first.img", size_mb: 96 },
  { name: "second.img", size_mb: 96 },
];

/** Writes the file system of the root onto $1. */
const FILL = [
  "fill() {",
  `  mkfs.ext4 -q -F -U ${STORAGE.filesystem} -L ${STORAGE.label} "$1"`,
  '  mount -t ext4 "$1" /mnt',
  "  cp -a /tree/. /mnt/",
  "  umount /mnt",
  "}",
];

// --assume-clean: both disks are empty, so they agree already and no resync runs.
const array = (metadata: string) => [
  `mdadm --create /dev/md0 --run --assume-clean --level=1 --raid-devices=2 --bitmap=none \\`,
  `  --metadata=${metadata} --uuid=${STORAGE.array} --homehost=any --name=${STORAGE.array_name} /dev/vda /dev/vdb`,
];

const STOP_ARRAY = ["mdadm --stop /dev/md0"];

const group = (device: string) => [
  `lvm pvcreate -q -y --uuid ${STORAGE.physical_volume} --norestorefile ${device}`,
  `lvm vgcreate -q ${STORAGE.group} ${device}`,
  `lvm lvcreate -q -y -Wn -l 100%FREE -n ${STORAGE.volume} ${STORAGE.group}`,
];

const STOP_GROUP = [`lvm vgchange -q -an ${STORAGE.group}`];

/** Cheap key derivation: the guest is slow, and the passphrase is no secret. */
const luks = (device: string, version: "luks1" | "luks2") => [
  `printf %s '${STORAGE.passphrase}' >/tmp/key`,
  `cryptsetup luksFormat -q --type ${version} --uuid ${STORAGE.luks} \\`,
  `  --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /tmp/key ${device}`,
  `cryptsetup open --key-file /tmp/key ${device} clear`,
];

const STOP_LUKS = ["cryptsetup close clear"];

/** Two disks, one array, the file system right on it. */
export function raid1(metadata: "0.90" | "1.0" | "1.2", tree: Tree): MakerRecipe {
  const script = [...FILL, ...array(metadata), "fill /dev/md0", ...STOP_ARRAY];
  return recipe(`raid1-${metadata}`, script, tree);
}

/** Two disks, one array, a volume group on it, the root on its one volume. */
export function raid1Lvm(tree: Tree): MakerRecipe {
  const volume = `/dev/${STORAGE.group}/${STORAGE.volume}`;
  const script = [...array("1.2"), ...group("/dev/md0"), `fill ${volume}`, ...STOP_GROUP, ...STOP_ARRAY];
  return recipe("raid1-lvm", [...FILL, ...script], tree);
}

/** Two disks, one array, a volume group on it, an encrypted volume, the root in that. */
export function raid1LvmLuks(tree: Tree, version: "luks1" | "luks2" = "luks2"): MakerRecipe {
  const volume = `/dev/${STORAGE.group}/${STORAGE.volume}`;
  const up = [...array("1.2"), ...group("/dev/md0"), ...luks(volume, version)];
  const script = [...FILL, ...up, "fill /dev/mapper/clear", ...STOP_LUKS, ...STOP_GROUP, ...STOP_ARRAY];
  return recipe(`raid1-lvm-${version}`, script, tree);
}

/** Two disks, one array, encrypted as a whole. */
export function raid1Luks(tree: Tree): MakerRecipe {
  const up = [...array("1.2"), ...luks("/dev/md0", "luks2")];
  const script = [...FILL, ...up, "fill /dev/mapper/clear", ...STOP_LUKS, ...STOP_ARRAY];
  return recipe("raid1-luks2", script, tree);
}

/** One disk, encrypted as a whole. */
export function plainLuks(tree: Tree, version: "luks1" | "luks2" = "luks2"): MakerRecipe {
  const script = [...FILL, ...luks("/dev/vda", version), "fill /dev/mapper/clear", ...STOP_LUKS];
  return { ...recipe(`${version}`, script, tree), disks: DISKS.slice(0, 1) };
}

/** One disk, a volume group right on it. */
export function plainLvm(tree: Tree): MakerRecipe {
  const volume = `/dev/${STORAGE.group}/${STORAGE.volume}`;
  const script = [...FILL, ...group("/dev/vda"), `fill ${volume}`, ...STOP_GROUP];
  return { ...recipe("lvm", script, tree), disks: DISKS.slice(0, 1) };
}

function recipe(name: string, script: readonly string[], tree: Tree): MakerRecipe {
  return { name, disks: DISKS, script: `${script.join("\n")}\n`, tree };
}
