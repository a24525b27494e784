/** Whether a kernel can mount the boot partition by itself, as no initramfs is there to load modules for it. */

import type { KernelConfig } from "../image/kernel-config.ts";
import { text } from "../lib/bytes.ts";

/** Filesystems by their type in a mountinfo file; ext4's driver mounts its elders, too. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  btrfs: ["CONFIG_BTRFS_FS"],
  ext2: ["CONFIG_EXT2_FS", "CONFIG_EXT4_USE_FOR_EXT2"],
  ext3: ["CONFIG_EXT4_FS"],
  ext4: ["CONFIG_EXT4_FS"],
  f2fs: ["CONFIG_F2FS_FS"],
  xfs: ["CONFIG_XFS_FS"],
};

/** A sentence when the kernel has the filesystem `type` as a module, or not at all; undefined when it is not known. */
export function lackOfFilesystem(
  type: string,
  release: string,
  config: KernelConfig | undefined,
): string | undefined {
  const options = OPTIONS[type];
  if (config === undefined || options === undefined) return undefined;
  if (options.some((option) => config.get(option) === "y")) return undefined;
  const how = options.some((option) => config.get(option) === "m") ? "as a module" : "not at all";
  return (
    `the kernel ${text(release)} has ${type} ${how}, so it can't mount the boot partition by itself: ` +
    `it needs ${options[0]}=y, or an initramfs (rdinit image).`
  );
}
