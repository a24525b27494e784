import { expect, test } from "bun:test";
import { parseKernelConfig } from "../../../src/image/kernel-config.ts";
import { lackOfFilesystem } from "../../../src/install/fit.ts";

const config = parseKernelConfig("CONFIG_EXT4_FS=y\nCONFIG_EXT4_USE_FOR_EXT2=y\nCONFIG_XFS_FS=m\n");

test.each(["ext4", "ext3", "ext2", "tmpfs"])("%s is built in, or nothing is known of it", (type) => {
  expect(lackOfFilesystem(type, "6.1", config)).toBeUndefined();
});

test("nothing is known of any without a configuration", () => {
  expect(lackOfFilesystem("ext4", "6.1", undefined)).toBeUndefined();
});

test.each([
  ["xfs", "as a module"],
  ["btrfs", "not at all"],
])("%s is there %s", (type, how) => {
  expect(lackOfFilesystem(type, "6.1", config)).toBe(
    `the kernel 6.1 has ${type} ${how}, so it can't mount the boot partition by itself: ` +
      `it needs CONFIG_${type.toUpperCase()}_FS=y, or an initramfs (rdinit image).`,
  );
});
