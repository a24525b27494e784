/** The tools that need more in an image than ELF headers tell. A new tool is a new row. */

import { CRYPT_MODULES, cryptsetupAddition, opensslAddition } from "./cryptsetup.ts";
import { dropbearAddition } from "./dropbear.ts";
import { mdadmAddition } from "./mdadm.ts";
import type { Recipe } from "./recipe.ts";
import { terminfoAddition } from "./terminfo.ts";

/**
 * All recipes. What they take was seen with strace(1) on real runs under Debian 12; paths of other distributions
 * stand beside Debian's where they differ. test/image/tools.test.ts runs them in an unpacked image.
 */
export const RECIPES: readonly Recipe[] = [
  // ---- below the filesystem ----
  {
    names: ["mdadm"],
    debian: "mdadm",
    programs: ["mdadm"],
    // It starts mdmon for arrays whose metadata the kernel does not write: IMSM and DDF.
    programsIfThere: ["mdmon"],
    modulesIfThere: ["md_mod", "linear", "raid0", "raid1", "raid10", "raid456"],
    more: mdadmAddition,
  },
  {
    names: ["lvm"],
    debian: "lvm2",
    programs: ["lvm"],
    // It calls the checkers of thin pools and caches before it activates one (lvm.conf(5), *_check_executable).
    programsIfThere: [
      "dmsetup",
      ...["thin_check", "thin_dump", "thin_repair", "cache_check", "cache_dump", "cache_repair"],
    ],
    files: [
      "/etc/lvm/lvm.conf",
      "/etc/lvm/lvmlocal.conf",
      "/etc/lvm/profile",
      "/etc/lvm/devices/*.devices",
      // It passes over the paths of disks that multipath knows.
      "/etc/multipath.conf",
      "/etc/multipath/conf.d",
      "/etc/multipath/wwids",
    ],
    modulesIfThere: [
      ...["dm_mod", "dm_snapshot", "dm_mirror", "dm_raid", "dm_thin_pool", "dm_zero"],
      ...["dm_cache", "dm_cache_smq", "dm_writecache", "dm_integrity", "dm_vdo"],
    ],
  },
  { names: ["dmsetup"], debian: "dmsetup", programs: ["dmsetup"], modulesIfThere: ["dm_mod"] },
  {
    names: ["cryptsetup"],
    debian: "cryptsetup-bin",
    programs: ["cryptsetup"],
    modulesIfThere: CRYPT_MODULES,
    more: cryptsetupAddition,
  },
  {
    names: ["integritysetup"],
    debian: "cryptsetup-bin",
    programs: ["integritysetup"],
    modulesIfThere: ["dm_integrity"],
    more: opensslAddition,
  },
  {
    names: ["veritysetup"],
    debian: "cryptsetup-bin",
    programs: ["veritysetup"],
    modulesIfThere: ["dm_verity"],
    more: opensslAddition,
  },
  {
    names: ["multipath"],
    debian: "multipath-tools",
    programs: ["multipath"],
    programsIfThere: ["multipathd", "kpartx"],
    libraries: ["multipath/*.so"],
    files: ["/etc/multipath.conf", "/etc/multipath"],
    modulesIfThere: [
      ...["dm_multipath", "dm_round_robin", "dm_queue_length", "dm_service_time"],
      ...["scsi_dh_alua", "scsi_dh_rdac", "scsi_dh_emc", "scsi_dh_hp_sw"],
    ],
  },

  // ---- filesystems: what checks them ----
  { names: ["fsck"], debian: "util-linux", programs: ["fsck"] },
  {
    names: ["fsck.ext4", "e2fsck", "fsck.ext2", "fsck.ext3"],
    debian: "e2fsprogs",
    programs: ["e2fsck"],
    programsIfThere: ["fsck.ext2", "fsck.ext3", "fsck.ext4"],
    files: ["/etc/e2fsck.conf", "/etc/blkid.conf"],
  },
  {
    names: ["fsck.xfs", "xfs_repair"],
    debian: "xfsprogs",
    programs: ["fsck.xfs", "xfs_repair"],
    // fsck.xfs is a shell script. Without these it would say "repaired" of a disk whose log it could not replay.
    programsIfThere: ["basename", "blkid", "cat", "mkdir", "mount", "rm", "umount"],
  },
  { names: ["fsck.btrfs"], debian: "btrfs-progs", programs: ["fsck.btrfs", "btrfs"] },
  { names: ["btrfs"], debian: "btrfs-progs", programs: ["btrfs"] },
  {
    names: ["fsck.f2fs"],
    debian: "f2fs-tools",
    programs: ["fsck.f2fs"],
    links: [{ path: "/etc/mtab", target: "/proc/self/mounts" }],
  },
  {
    names: ["fsck.vfat", "fsck.fat", "fsck.msdos", "dosfsck"],
    debian: "dosfstools",
    programs: ["fsck.fat"],
    programsIfThere: ["fsck.vfat", "fsck.msdos"],
    // It reads names in the code page 850 through iconv(3).
    libraries: ["gconv/IBM850.so"],
    libraryData: ["gconv/gconv-modules.cache", "gconv/gconv-modules", "gconv/gconv-modules.d"],
  },
  { names: ["fsck.exfat"], debian: "exfatprogs", programs: ["fsck.exfat"] },
  { names: ["fsck.jfs"], debian: "jfsutils", programs: ["fsck.jfs"] },

  // ---- disks and mounts ----
  { names: ["blkid"], debian: "util-linux", programs: ["blkid"], files: ["/etc/blkid.conf"] },
  {
    names: ["mount", "umount"],
    debian: "mount",
    programs: ["mount", "umount"],
    links: [{ path: "/etc/mtab", target: "/proc/self/mounts" }],
  },

  // ---- the network ----
  {
    names: ["dropbear"],
    debian: "dropbear-bin",
    programs: ["dropbear"],
    more: dropbearAddition,
  },
  {
    names: ["ip"],
    debian: "iproute2",
    programs: ["ip"],
    // Names for its numbers; newer versions have them below /usr/share.
    files: ["/etc", "/usr/share"].flatMap((directory) =>
      ["group", "rt_protos", "rt_realms", "rt_scopes", "rt_tables"].map(
        (name) => `${directory}/iproute2/${name}`,
      ),
    ),
  },
  { names: ["nbd-client"], debian: "nbd-client", programs: ["nbd-client"], modulesIfThere: ["nbd"] },
  {
    names: ["iscsistart"],
    debian: "open-iscsi",
    programs: ["iscsistart"],
    // The name by which targets know the machine comes by selection.ts: not every image is for one machine.
    modulesIfThere: ["iscsi_tcp", "iscsi_ibft", "crypto-crc32c", "sd_mod"],
  },
  {
    names: ["mount.nfs", "mount.nfs4"],
    debian: "nfs-common",
    programs: ["mount.nfs"],
    programsIfThere: ["mount.nfs4", "umount.nfs"],
    files: [
      ...["/etc/nfsmount.conf", "/etc/nfsmount.conf.d", "/etc/netconfig"],
      ...["/etc/protocols", "/etc/rpc", "/etc/services"],
    ],
    modulesIfThere: ["nfs", "nfsv3", "nfsv4"],
  },

  // ---- the console ----
  { names: ["busybox"], debian: "busybox-static", programs: ["busybox"] },
  { names: ["bash"], debian: "bash", programs: ["bash"], files: ["/etc/inputrc"], more: terminfoAddition },
  { names: ["terminfo"], debian: "ncurses-base", programs: [], more: terminfoAddition },
  { names: ["less"], debian: "less", programs: ["less"], more: terminfoAddition },
  { names: ["loadkeys"], debian: "kbd", programs: ["loadkeys"], programsIfThere: ["kbd_mode"] },
  // Fonts that are compressed it reads through a shell and gzip.
  { names: ["setfont"], debian: "kbd", programs: ["setfont"] },
];
