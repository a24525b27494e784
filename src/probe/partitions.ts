/**
 * Partition tables: GPT and MBR, with the numbers and PARTUUIDs that the kernel gives.
 *
 * Where the kernel (block/partitions/) and libblkid differ, the kernel's view counts: it makes the partitions.
 */

import { Device } from "./device.ts";
import { readGpt } from "./gpt.ts";
import type { Reader } from "./format.ts";
import { readMbr } from "./mbr.ts";
import type { PartitionTable } from "./table.ts";

/**
 * The partition table of a disk of `size_bytes` bytes with logical sectors of `sector_bytes` bytes,
 * or undefined when it has none. Takes one read for a GPT, one for an MBR, one more for each logical
 * partition and for the backup of a damaged GPT. Rejects only when `read` does.
 *
 * A disk that is a member of an array may show the table of what is inside: libblkid ignores it there.
 */
export async function readPartitionTable(
  read: Reader,
  size_bytes: number,
  sector_bytes: number,
): Promise<PartitionTable | undefined> {
  if (!Number.isInteger(sector_bytes) || sector_bytes < 512 || size_bytes < 2 * sector_bytes)
    return undefined;
  const device = new Device(read, size_bytes, { bytes: limit_bytes });
  // Both sectors before a GPT's entries, and 128 entries: all that most disks have.
  device.want([{ offset: 0, length: 2 * sector_bytes + 128 * 128 }]);
  await device.load();
  const boot = device.at(0, 512);
  if (boot === undefined || !boot.has(510, "\x55\xaa")) return undefined;
  return (await readGpt(device, boot, sector_bytes)) ?? (await readMbr(device, boot, sector_bytes));
}

// Two GPTs with the largest list of entries that is accepted, and a long chain of logical partitions.
const limit_bytes = 16 * 1024 * 1024;
