/** Where a device is mounted. */

import { type Syscalls, readText } from "../../../syscalls/index.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";
import { mountPoints } from "../handover/moves.ts";
import { mountSource } from "../storage/dm-nodes.ts";

/** The first place where the device is mounted: by its number, and by its names too, as a btrfs has a number of its own. */
export function mountedAt(sys: Syscalls, device: BlockDevice): string | undefined {
  const names = new Set([device.node, mountSource(sys, device)]);
  const line = readText(sys, "/proc/self/mountinfo")
    .split("\n")
    .find((one) => {
      const fields = one.split(" ");
      return fields[2] === device.rdev || names.has(fields[fields.indexOf("-") + 2] ?? "");
    });
  return line === undefined ? undefined : mountPoints(line)[0];
}
