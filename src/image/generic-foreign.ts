/**
 * Modules that do not come with the kernel (dkms(8), vendors' packages), for `--generic`: there is no folder that
 * tells what they are for, so they are asked which functions of the kernel they call.
 */

import { toBytes } from "../lib/bytes.ts";
import { decompress } from "../modules/decompress.ts";
import type { FileTree } from "./file-tree.ts";

/**
 * True for a module that makes disks, file systems or keyboards, or, when asked for, wired network cards. `file` is
 * its path as modules.dep has it; a file that is not there is wanted by nobody here.
 * @throws UserError when it is damaged
 */
export function isWantedForeigner(
  root: FileTree,
  directory: string,
  file: string,
  network: boolean,
): boolean {
  const path = file.startsWith("/") ? file : `${directory}/${file}`;
  const bytes = root.read(path);
  if (!bytes) return false;
  const module = Buffer.from(decompress(path, bytes));
  const calls = (symbol: string) => module.includes(toBytes(`${symbol}\0`));
  if (ALWAYS.some(calls)) return true;
  return network && NETWORK.some(calls) && !WIRELESS.some(calls);
}

/** What a driver must call to bring a disk, a file system, an array, a mapping or a keyboard about. */
const ALWAYS: readonly string[] = [
  "device_add_disk",
  "scsi_host_alloc",
  "ata_host_alloc_pinfo",
  "mmc_add_host",
  "nvme_init_ctrl",
  "register_filesystem",
  "dm_register_target",
  "register_md_personality",
  "__hid_register_driver",
];

const NETWORK: readonly string[] = ["register_netdev", "register_netdevice"];

const WIRELESS: readonly string[] = ["wiphy_register", "ieee80211_register_hw"];
