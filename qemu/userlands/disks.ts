/** The disks of a userland: its tree in ext4 in LUKS2, on a volume group with /boot and swap beside it, on RAID1. */

import type { MakerRecipe } from "../maker.ts";
import { USERLAND } from "./etc.ts";

const { group, volumes, mapping } = USERLAND;

/** Small blocks of journal, so that little of the disks is written. */
const EXT4 = "mkfs.ext4 -q -F -J size=4";

const SCRIPT = [
  // Both disks are empty, so they agree already and no resync runs.
  "mdadm --create /dev/md0 --run --assume-clean --level=1 --raid-devices=2 --bitmap=none --metadata=1.2 \\",
  `  --uuid=${USERLAND.array} --homehost=${USERLAND.hostname} --name=0 /dev/vda /dev/vdb`,
  `lvm vgcreate -q ${group} /dev/md0`,
  `lvm lvcreate -q -y -Wn -L 32m -n boot ${group}`,
  `lvm lvcreate -q -y -Wn -L 32m -n swap ${group}`,
  `lvm lvcreate -q -y -Wn -l 100%FREE -n root ${group}`,
  `mkswap /dev/mapper/${volumes.swap}`,
  `printf %s '${USERLAND.passphrase}' >/tmp/key`,
  // Cheap key derivation: the guest is slow, and the passphrase is no secret.
  `cryptsetup luksFormat -q --type luks2 --uuid ${USERLAND.luks} --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \\`,
  `  --key-file /tmp/key /dev/mapper/${volumes.root}`,
  `cryptsetup open --key-file /tmp/key /dev/mapper/${volumes.root} ${mapping}`,
  `${EXT4} -U ${USERLAND.filesystem} /dev/mapper/${mapping}`,
  `${EXT4} -U ${USERLAND.boot} /dev/mapper/${volumes.boot}`,
  "mkdir /source",
  "mount -t squashfs -o ro /dev/vdc /source",
  `mount -t ext4 /dev/mapper/${mapping} /mnt`,
  "cp -a /source/. /mnt/",
  "umount /mnt",
  `cryptsetup close ${mapping}`,
  `lvm vgchange -q -an ${group}`,
  "mdadm --stop /dev/md0",
];

/** The recipe for the userland `name` whose tree is the squashfs `tree`. */
export function userlandDisks(name: string, tree: string): MakerRecipe {
  return {
    name: `userland-${name}`,
    disks: [
      { name: "first.img", size_mb: 512 },
      { name: "second.img", size_mb: 512 },
    ],
    inputs: [tree],
    script: `${SCRIPT.join("\n")}\n`,
    timeout_ms: 240_000,
  };
}
