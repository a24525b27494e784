/** Mount options as people write them, as mount(2) takes them. */

import {
  MS_DIRSYNC,
  MS_I_VERSION,
  MS_LAZYTIME,
  MS_MANDLOCK,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_RDONLY,
  MS_RELATIME,
  MS_SILENT,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
} from "../../../syscalls/index.ts";
import { splitOptions } from "../../storage/option-list.ts";

/** What mount(8) calls filesystem-independent options: a flag to set, or (with `clear`) to take away. */
const flagOptions: Readonly<Record<string, { readonly flag: number; readonly clear?: true }>> = {
  ro: { flag: MS_RDONLY },
  rw: { flag: MS_RDONLY, clear: true },
  nosuid: { flag: MS_NOSUID },
  suid: { flag: MS_NOSUID, clear: true },
  nodev: { flag: MS_NODEV },
  dev: { flag: MS_NODEV, clear: true },
  noexec: { flag: MS_NOEXEC },
  exec: { flag: MS_NOEXEC, clear: true },
  sync: { flag: MS_SYNCHRONOUS },
  async: { flag: MS_SYNCHRONOUS, clear: true },
  dirsync: { flag: MS_DIRSYNC },
  mand: { flag: MS_MANDLOCK },
  nomand: { flag: MS_MANDLOCK, clear: true },
  noatime: { flag: MS_NOATIME },
  atime: { flag: MS_NOATIME, clear: true },
  nodiratime: { flag: MS_NODIRATIME },
  diratime: { flag: MS_NODIRATIME, clear: true },
  relatime: { flag: MS_RELATIME },
  norelatime: { flag: MS_RELATIME, clear: true },
  strictatime: { flag: MS_STRICTATIME },
  nostrictatime: { flag: MS_STRICTATIME, clear: true },
  lazytime: { flag: MS_LAZYTIME },
  nolazytime: { flag: MS_LAZYTIME, clear: true },
  iversion: { flag: MS_I_VERSION },
  noiversion: { flag: MS_I_VERSION, clear: true },
  nosymfollow: { flag: MS_NOSYMFOLLOW },
  symfollow: { flag: MS_NOSYMFOLLOW, clear: true },
  silent: { flag: MS_SILENT },
  loud: { flag: MS_SILENT, clear: true },
};

/** Options of fstab(5) that are not for the kernel: others read them. */
const userspaceOptions =
  /^(defaults|auto|noauto|nofail|_netdev|(no)?user|(no)?users|(no)?owner|group|comment=[^]*|[xX]-[^]*)$/;

/**
 * Splits a comma-separated list into flags, beginning with `flags`, and the rest for the filesystem itself. A comma
 * within double quotes (SELinux contexts) or behind a backslash (paths of overlays) belongs to its option, which the
 * kernel gets as it is written.
 */
export function parseMountOptions(list: string, flags = 0): { flags: number; data: string } {
  const data: string[] = [];
  for (const option of splitOptions(list)) {
    const known = Object.hasOwn(flagOptions, option) ? flagOptions[option] : undefined;
    if (known !== undefined) flags = known.clear === true ? flags & ~known.flag : flags | known.flag;
    else if (!userspaceOptions.test(option)) data.push(option);
  }
  return { flags, data: data.join(",") };
}

/** The flags by their names in fstab(5): "noatime". */
export function flagNames(flags: number): string[] {
  return Object.entries(flagOptions)
    .filter(([, { flag, clear }]) => clear !== true && (flags & flag) !== 0)
    .map(([name]) => name);
}
