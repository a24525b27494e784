/** Disks whose layers are stacked as people really have them, made in a guest: recipes with fixed identifiers. */

import type { MakerRecipe } from "../maker.ts";
import { STORAGE } from "./basic.ts";
import type { Tree } from "../tree.ts";

/** Containers that lie beside or above STORAGE.luks, all with STORAGE.passphrase. */
export const NESTED = {
  second_luks: "3a3a3a3a-6b5a-4c3d-8e2f-1a0b9c8d7e6f",
  inner_luks: "4b4b4b4b-6b5a-4c3d-8e2f-1a0b9c8d7e6f",
} as const;

/** Cheap key derivation: the guest is slow, and the passphrase is no secret. */
const encrypt = (device: string, uuid: string, name: string) => [
  `cryptsetup luksFormat -q --type luks2 --uuid ${uuid} --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /tmp/key ${device}`,
  `cryptsetup open --key-file /tmp/key ${device} ${name}`,
];

const group = (...devices: string[]) => [
  `lvm vgcreate -q ${STORAGE.group} ${devices.join(" ")}`,
  `lvm lvcreate -q -y -Wn -l 100%FREE -n ${STORAGE.volume} ${STORAGE.group}`,
];

const volume = `/dev/${STORAGE.group}/${STORAGE.volume}`;

const fill = (format: string, device: string) => [
  `${format} ${device}`,
  `mount ${device} /mnt`,
  "cp -a /tree/. /mnt/",
  "umount /mnt",
];

const ext4 = `mkfs.ext4 -q -F -U ${STORAGE.filesystem}`;

function recipe(
  name: string,
  count: number,
  size_mb: number,
  steps: readonly string[],
  tree: Tree,
): MakerRecipe {
  const disks = Array.from({ length: count }, (_, at) => ({ name: `disk${at}.img`, size_mb }));
  return {
    name,
    disks,
    script: [`printf %s '${STORAGE.passphrase}' >/tmp/key`, ...steps, ""].join("\n"),
    tree,
  };
}

/** ext4 on LVM on LUKS on RAID5 over three disks. */
export function lvmOnLuksOnRaid5(tree: Tree): MakerRecipe {
  const array =
    `mdadm --create /dev/md0 --run --assume-clean --level=5 --raid-devices=3 --bitmap=none --metadata=1.2 ` +
    `--uuid=${STORAGE.array} --homehost=any --name=${STORAGE.array_name} /dev/vda /dev/vdb /dev/vdc`;
  const up = [array, ...encrypt("/dev/md0", STORAGE.luks, "outer"), ...group("/dev/mapper/outer")];
  const down = [`lvm vgchange -q -an ${STORAGE.group}`, "cryptsetup close outer", "mdadm --stop /dev/md0"];
  return recipe("lvm-luks-raid5", 3, 48, [...up, ...fill(ext4, volume), ...down], tree);
}

/** ext4 on LUKS on LVM on two LUKS. */
export function luksOnLvmOnTwoLuks(tree: Tree): MakerRecipe {
  const outer = [
    ...encrypt("/dev/vda", STORAGE.luks, "one"),
    ...encrypt("/dev/vdb", NESTED.second_luks, "two"),
  ];
  const up = [
    ...outer,
    ...group("/dev/mapper/one", "/dev/mapper/two"),
    ...encrypt(volume, NESTED.inner_luks, "inner"),
  ];
  const down = [
    "cryptsetup close inner",
    `lvm vgchange -q -an ${STORAGE.group}`,
    ...["one", "two"].map((name) => `cryptsetup close ${name}`),
  ];
  return recipe("luks-lvm-two-luks", 2, 64, [...up, ...fill(ext4, "/dev/mapper/inner"), ...down], tree);
}

/** ext4 on LVM on RAID1 with the oldest metadata, on two LUKS. */
export function lvmOnRaid1OnTwoLuks(tree: Tree): MakerRecipe {
  const array =
    "mdadm --create /dev/md0 --run --assume-clean --level=1 --raid-devices=2 --metadata=0.90 " +
    `--uuid=${STORAGE.array} /dev/mapper/one /dev/mapper/two`;
  const outer = [
    ...encrypt("/dev/vda", STORAGE.luks, "one"),
    ...encrypt("/dev/vdb", NESTED.second_luks, "two"),
  ];
  const down = [
    `lvm vgchange -q -an ${STORAGE.group}`,
    "mdadm --stop /dev/md0",
    ...["one", "two"].map((name) => `cryptsetup close ${name}`),
  ];
  const steps = [...outer, array, ...group("/dev/md0"), ...fill(ext4, volume), ...down];
  return recipe("lvm-raid1-two-luks", 2, 64, steps, tree);
}
