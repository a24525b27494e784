/** What a kernel was built with, as far as an image depends on it. */

import { fromBytes, text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { FileTree } from "./file-tree.ts";
import type { ImageCompression } from "./write.ts";

/** The options of a kernel's configuration that are set, by name ("CONFIG_RD_ZSTD"), with y, m or a value. */
export type KernelConfig = ReadonlyMap<string, string>;

/**
 * The configuration of the kernel `release`, from where distributions keep it; undefined when it is nowhere, or where this
 * user may not look: a /boot that is an EFI partition is often root's alone.
 */
export function readKernelConfig(root: FileTree, release: string): KernelConfig | undefined {
  for (const path of [
    `/boot/config-${release}`,
    `/lib/modules/${release}/config`,
    `/usr/lib/modules/${release}/config`,
    `/lib/modules/${release}/build/.config`,
  ]) {
    const bytes = readIfAllowed(root, path);
    if (bytes) return parseKernelConfig(fromBytes(bytes));
  }
  return undefined;
}

function readIfAllowed(root: FileTree, path: string): Uint8Array | undefined {
  try {
    return root.read(path);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Reads the lines `CONFIG_NAME=value`. */
export function parseKernelConfig(content: string): KernelConfig {
  const lines = content.matchAll(/^(CONFIG_\w+)=(.*)$/gm);
  return new Map(Array.from(lines, ([, name = "", value = ""]) => [name, value]));
}

/**
 * Refuses an image that this kernel could not unpack.
 * @throws UserError
 */
export function checkCompression(config: KernelConfig, release: string, compression: ImageCompression): void {
  if (config.get("CONFIG_BLK_DEV_INITRD") !== "y")
    throw new UserError(
      `The kernel ${text(release)} can't use an initramfs: it was built without CONFIG_BLK_DEV_INITRD.`,
    );
  const option = UNPACKERS[compression];
  if (option === undefined || config.get(option) === "y") return;
  const able = Object.entries(UNPACKERS).filter(([, one]) => one === undefined || config.get(one) === "y");
  throw new UserError(
    `The kernel ${text(release)} can't unpack ${compression}: it was built without ${option}.`,
    `Choose one of: ${able.map(([name]) => name).join(", ")}.`,
  );
}

/** usr/Kconfig */
const UNPACKERS: Readonly<Record<ImageCompression, string | undefined>> = {
  none: undefined,
  gzip: "CONFIG_RD_GZIP",
  zstd: "CONFIG_RD_ZSTD",
  lz4: "CONFIG_RD_LZ4",
  xz: "CONFIG_RD_XZ",
};
