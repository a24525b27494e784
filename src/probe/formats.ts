/** All formats, in the order in which they count (superblock.ts): libblkid's, where the order decides. */

import { btrfs } from "./btrfs.ts";
import { erofs } from "./erofs.ts";
import { exfat } from "./exfat.ts";
import { ext } from "./ext.ts";
import { f2fs } from "./f2fs.ts";
import { ddf, isw } from "./fakeraid.ts";
import type { Format } from "./format.ts";
import { iso9660 } from "./iso9660.ts";
import { luks } from "./luks.ts";
import { lvm } from "./lvm.ts";
import { md } from "./md.ts";
import { ntfs } from "./ntfs.ts";
import { squashfs } from "./squashfs.ts";
import { swap, swsuspend } from "./swap.ts";
import { vfat } from "./vfat.ts";
import { xfs } from "./xfs.ts";

export const formats: readonly Format[] = [
  md,
  ddf,
  isw,
  lvm,
  luks,
  vfat,
  swsuspend,
  swap,
  xfs,
  ext,
  iso9660,
  ntfs,
  squashfs,
  btrfs,
  exfat,
  f2fs,
  erofs,
];
