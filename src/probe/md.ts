/**
 * Members of md arrays (linux_raid_member): superblock versions 0.90, 1.0, 1.1 and 1.2.
 *
 * Layout: kernel, include/uapi/linux/raid/md_p.h; where each version stands and how it is checked,
 * drivers/md/md.c. Version 0.90 is in the byte order of the machine that made it.
 *
 * `uuid` is the array's, `uuid_sub` the member's (version 1), `label` the array's name, often "host:name".
 * Details: `level` as mdadm names it; `raid_disks`, the members of the complete array, spares not
 * counted; `events`, the update count, to tell stale members from fresh ones; `component_bytes`, how much of
 * each member the array uses (0.90); `role`, the slot of this member in the array, or "spare", "faulty" or
 * "journal"; `active`, the slots of all members that work, as this one knows it, each as often as a device has it
 * (two do while one is replaced); `number`, this member's own, and `minor`, the array's (0.90).
 */

import { md090, md090Offset } from "./md090.ts";
import { md1 } from "./md1.ts";
import { tiny_bytes, type At, type Format, type Found } from "./format.ts";

export const md: Format = {
  name: "linux_raid_member",
  windows: [
    { offset: 0, length: 8192 },
    { offset: -0x20000, length: 0x10000 + 4096 },
    { offset: -0x3000, length: 0x2000 },
  ],
  minimum_bytes: tiny_bytes + 1,
  parse(at, size_bytes) {
    // Lazily: a valid superblock of one version spares the look at the next.
    let damaged: Found | undefined;
    for (const place of places) {
      const found = place(at, size_bytes);
      if (found !== undefined && found.damaged === undefined) return found;
      damaged ??= found;
    }
    return damaged;
  },
};

/**
 * The bytes of the device that an array with a 0.90 superblock must own: its data and its superblock.
 * Undefined for all other superblocks.
 */
export function md090Extent(found: Found, size_bytes: number): { start: number; end: number } | undefined {
  const component_bytes = found.details?.["component_bytes"];
  if (found.type !== md.name || component_bytes === undefined) return undefined;
  const offset = md090Offset(size_bytes);
  return { start: offset - Number(component_bytes), end: offset + 0x10000 };
}

const places: readonly ((at: At, size_bytes: number) => Found | undefined)[] = [
  (at, size_bytes) => md090(at, size_bytes),
  (at, size_bytes) => md1(at, Math.floor(size_bytes / 4096) * 4096 - 0x2000, "1.0"),
  (at) => md1(at, 0, "1.1"),
  (at) => md1(at, 4096, "1.2"),
];
