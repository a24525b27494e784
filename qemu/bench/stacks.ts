/** The disks of the benchmark that only a kernel with md and dm can make: recipes with fixed identifiers. */

import type { MakerRecipe } from "../maker.ts";
import { STORAGE } from "../storage/basic.ts";
import type { Tree } from "../tree.ts";
import { BENCH_UUID, markTree } from "./boot.ts";

/** What opens the encrypted volume; it lies in the image. */
export const STACK_KEY = "the key of the benchmark";

/** Where the key lies in the image. */
export const STACK_KEY_PATH = "/etc/keys/root.key";

/** The logical volume, as device-mapper names it. */
export const STACK_VOLUME = `${STORAGE.group}-${STORAGE.volume.replaceAll("-", "--")}`;

/** A root on two disks. */
export interface Stack {
  readonly name: string;
  /** The programs of rdinit's image, and the modules of one that holds no more than it takes. */
  readonly tools: readonly string[];
  readonly drivers: readonly string[];
  /** The same for a script that loads them by insmod, in whose image no alias is known. */
  readonly modules: readonly string[];
  readonly encrypted: boolean;
  readonly recipe: (tree: Tree) => MakerRecipe;
}

const DISK_DRIVERS = ["virtio_pci", "virtio_blk", "ext4", "raid1", "dm_mod"];

/** The stacks that are measured, the simplest first. */
export const STACKS: readonly Stack[] = [
  {
    name: "RAID1+LVM",
    tools: ["mdadm", "lvm"],
    drivers: DISK_DRIVERS,
    modules: ["raid1", "dm_mod"],
    encrypted: false,
    recipe: (tree) => recipe("bench-raid1-lvm", [...fill(VOLUME)], tree),
  },
  {
    name: "RAID1+LVM+LUKS",
    tools: ["mdadm", "lvm", "cryptsetup"],
    drivers: [...DISK_DRIVERS, "dm_crypt", "xts", "aes_generic", "crypto-aes", "sha256_generic"],
    modules: ["raid1", "dm_mod", "dm_crypt", "xts", "aesni_intel", "sha256_generic"],
    encrypted: true,
    recipe: (tree) => recipe("bench-raid1-lvm-luks", [...ENCRYPT, ...fill(CLEAR), ...CLOSE], tree),
  },
];

/** The disks' init is mark.c. */
export async function stackRecipe(stack: Stack): Promise<MakerRecipe> {
  return stack.recipe(await markTree());
}

const VOLUME = `/dev/${STORAGE.group}/${STORAGE.volume}`;
const CLEAR = "/dev/mapper/clear";

// --assume-clean: both disks are empty, so they agree already and no resync runs.
const UP = [
  "mdadm --create /dev/md0 --run --assume-clean --level=1 --raid-devices=2 --bitmap=none --metadata=1.2 \\",
  `  --uuid=${STORAGE.array} --homehost=any --name=${STORAGE.array_name} /dev/vda /dev/vdb`,
  `lvm pvcreate -q -y --uuid ${STORAGE.physical_volume} --norestorefile /dev/md0`,
  `lvm vgcreate -q ${STORAGE.group} /dev/md0`,
  `lvm lvcreate -q -y -Wn -l 100%FREE -n ${STORAGE.volume} ${STORAGE.group}`,
];

const DOWN = [`lvm vgchange -q -an ${STORAGE.group}`, "mdadm --stop /dev/md0"];

/** A cheap key derivation of a fixed count: what is measured is the initramfs, not the hash. */
const ENCRYPT = [
  `printf %s '${STACK_KEY}' >/tmp/key`,
  `cryptsetup luksFormat -q --type luks2 --uuid ${STORAGE.luks} --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \\`,
  `  --cipher aes-xts-plain64 --key-size 512 --hash sha256 --key-file /tmp/key ${VOLUME}`,
  `cryptsetup open --key-file /tmp/key ${VOLUME} clear`,
];

const CLOSE = ["cryptsetup close clear"];

const fill = (device: string) => [
  `mkfs.ext4 -q -F -U ${BENCH_UUID} ${device}`,
  `mount -t ext4 ${device} /mnt`,
  "cp -a /tree/. /mnt/",
  "umount /mnt",
];

function recipe(name: string, steps: readonly string[], tree: Tree): MakerRecipe {
  const disks = ["first.img", "second.img"].map((file) => ({ name: file, size_mb: 96 }));
  return { name, disks, script: `${[...UP, ...steps, ...DOWN].join("\n")}\n`, tree };
}
