/** What the kernel needs for a file system by its type, and who checks it. */

import type { FileTree } from "../file-tree.ts";
import { isLoaded, needed, type Needed } from "./sysfs.ts";

/** The modules of a file system: `type` and `options` as in mountinfo. */
export function filesystemModules(root: FileTree, type: string, options: string): Needed {
  const plain = type.replace(/\..*$/, "");
  const name = Object.hasOwn(MODULES, plain) ? (MODULES[plain] ?? plain) : plain;
  const more = Object.hasOwn(MORE, plain) ? (MORE[plain] ?? []) : [];
  const module = name.replaceAll("-", "_");
  return needed(root, /^\w+$/.test(module) ? [module] : [], [
    `fs-${plain}`,
    ...more,
    ...quotas(root, options),
    ...characterSets(options),
  ]);
}

/** The recipe of the program that checks a file system; undefined where none does, or none has to. */
export function checker(type: string): string | undefined {
  return Object.hasOwn(CHECKERS, type) ? CHECKERS[type] : undefined;
}

/** Where the module has another name than the type. */
const MODULES: Readonly<Record<string, string>> = {
  ext2: "ext4",
  ext3: "ext4",
  fuseblk: "fuse",
  iso9660: "isofs",
  nfs4: "nfs",
  smb3: "cifs",
};

/** What the kernel asks for while it mounts one, and no list says. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  nfs: ["nfsv3", "nfsv4"],
  nfs4: ["nfsv4"],
  "9p": ["9pnet_virtio"],
};

/** XFS and btrfs repair themselves when mounted: their fsck programs do nothing. */
const CHECKERS: Readonly<Record<string, string>> = {
  ext2: "fsck.ext4",
  ext3: "fsck.ext4",
  ext4: "fsck.ext4",
  f2fs: "fsck.f2fs",
  jfs: "fsck.jfs",
  vfat: "fsck.vfat",
  exfat: "fsck.exfat",
};

// ext4 and f2fs can't be mounted for writing when they keep quotas and nobody knows their format.
function quotas(root: FileTree, options: string): string[] {
  const keeps = /(?:^|,)(?:usr|grp|prj)j?quota|(?:^|,)jqfmt=/.test(options);
  return ["quota_v1", "quota_v2"].filter((name) => keeps || isLoaded(root, name));
}

// vfat and its like ask for the tables that their options name.
function characterSets(options: string): string[] {
  return [...options.matchAll(/(?:^|,)(codepage|iocharset|nls)=(?:cp)?([\w-]+)/g)].map(
    ([, option, name = ""]) =>
      option === "codepage" || /^\d+$/.test(name) ? `nls_cp${name}` : `nls_${name}`,
  );
}
