/** The names below /dev/md: of arrays, and of their partitions. */

import { type Syscalls, exists, isErrno, list } from "../../../syscalls/index.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";

/**
 * The links that lead to this device, each like "md/root". Those of partitions are not made here, but understood:
 * their numbers stand behind the array's name as in udev's 63-md-raid-arrays.rules.
 */
export function mdLinks(sys: Syscalls, { name, partition }: BlockDevice): string[] {
  const disk = partition?.disk ?? name;
  if (!disk.startsWith("md") || !exists(sys, "/dev/md")) return [];
  const links = list(sys, "/dev/md").filter(({ name: link }) => target(sys, `/dev/md/${link}`) === disk);
  return links.map(({ name: link }) => {
    if (partition === undefined) return `md/${link}`;
    return `md/${link}${/\d$/.test(link) ? "p" : ""}${partition.number}`;
  });
}

// mdadm links to "../md127".
function target(sys: Syscalls, path: string): string | undefined {
  try {
    return sys.readlink(path).replace(/^.*\//, "");
  } catch (error) {
    if (isErrno(error, "EINVAL", "ENOENT")) return undefined;
    throw error;
  }
}
