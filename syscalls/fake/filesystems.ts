/** The filesystems that the fake kernel can mount. */

import {
  BTRFS_SUPER_MAGIC,
  CGROUP2_SUPER_MAGIC,
  DEVPTS_SUPER_MAGIC,
  EXT4_SUPER_MAGIC,
  F2FS_SUPER_MAGIC,
  ISOFS_SUPER_MAGIC,
  MSDOS_SUPER_MAGIC,
  NFS_SUPER_MAGIC,
  PROC_SUPER_MAGIC,
  RAMFS_MAGIC,
  SECURITYFS_MAGIC,
  SQUASHFS_MAGIC,
  SYSFS_MAGIC,
  TMPFS_MAGIC,
  XFS_SUPER_MAGIC,
} from "../constants.ts";
import { FileSystem, type Tree } from "./inode.ts";
import type { FakeDisk } from "./options.ts";
import { refuse } from "./refusal.ts";

/** Those without a device. "one" has a single instance, however often it is mounted. */
const NODEV: Readonly<Record<string, { readonly magic: number; readonly one: boolean }>> = {
  cgroup2: { magic: CGROUP2_SUPER_MAGIC, one: true },
  devpts: { magic: DEVPTS_SUPER_MAGIC, one: false },
  devtmpfs: { magic: TMPFS_MAGIC, one: true },
  nfs: { magic: NFS_SUPER_MAGIC, one: false },
  proc: { magic: PROC_SUPER_MAGIC, one: true },
  ramfs: { magic: RAMFS_MAGIC, one: false },
  securityfs: { magic: SECURITYFS_MAGIC, one: true },
  sysfs: { magic: SYSFS_MAGIC, one: true },
  tmpfs: { magic: TMPFS_MAGIC, one: false },
};

const ON_DISK: Readonly<Record<string, number>> = {
  btrfs: BTRFS_SUPER_MAGIC,
  ext4: EXT4_SUPER_MAGIC,
  f2fs: F2FS_SUPER_MAGIC,
  iso9660: ISOFS_SUPER_MAGIC,
  squashfs: SQUASHFS_MAGIC,
  vfat: MSDOS_SUPER_MAGIC,
  xfs: XFS_SUPER_MAGIC,
};

/** What is written in /proc/filesystems. */
export function fileSystemList(): string {
  const nodev = Object.keys(NODEV).map((type) => `nodev\t${type}\n`);
  return [...nodev, ...Object.keys(ON_DISK).map((type) => `\t${type}\n`)].join("");
}

export class FileSystems {
  /** The single instances by type, and those on disks by device. */
  private readonly instances = new Map<string, FileSystem>();
  private anonymous = 0;

  constructor(disks: Readonly<Record<string, FakeDisk>>) {
    for (const [dev, { type, tree = {} }] of Object.entries(disks))
      this.instances.set(dev, new FileSystem(type, ON_DISK[type] ?? 0, dev, tree));
  }

  /** A filesystem that is there from the start: of any type, on any device. */
  given(type: string, tree: Tree, dev?: string): FileSystem {
    const kind = NODEV[type];
    const key = dev ?? (kind?.one ? type : undefined);
    const known = key === undefined ? undefined : this.instances.get(key);
    if (known !== undefined) return known;
    this.anonymous += 1;
    const magic = kind?.magic ?? ON_DISK[type] ?? 0;
    const made = new FileSystem(type, magic, dev ?? `0:${this.anonymous}`, tree);
    if (key !== undefined) this.instances.set(key, made);
    return made;
  }

  /** The filesystem on a disk. */
  on(dev: string): FileSystem {
    const found = this.instances.get(dev);
    if (found === undefined) throw new Error(`the fake machine has no filesystem on ${dev}`);
    return found;
  }

  /**
   * The filesystem that mount(2) is asked for.
   * @param findDevice the "major:minor" of the block device that is to be its source
   * @throws Refusal ENODEV for an unknown type, EINVAL when something else is on the device, ENXIO when
   *   there is no device
   */
  mountable(type: string, findDevice: () => string): FileSystem {
    if (NODEV[type] !== undefined) return this.given(type, {});
    if (ON_DISK[type] === undefined) refuse("ENODEV");
    const found = this.instances.get(findDevice()) ?? refuse("ENXIO");
    return found.type === type ? found : refuse("EINVAL");
  }
}
