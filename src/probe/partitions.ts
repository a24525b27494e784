/**
 * Partition tables: GPT and MBR, with the numbers and PARTUUIDs that the kernel gives.
 *
 * Where the kernel (block/partitions/) and libblkid differ, the kernel's view counts: it makes the partitions.
 */

import { Device } from "./device.ts";
import { readGpt } from "./gpt.ts";
import type { Reader } from "./format.ts";
import { readMbr } from "./mbr.ts";

export interface Partition {
  /** As in the kernel's names: 1 is vda1. */
  readonly number: number;
  readonly start_bytes: number;
  readonly size_bytes: number;
  /** PARTUUID, lower case: a GUID, or `%08x-%02x` of disk signature and number. */
  readonly uuid: string;
  /** A GUID in lower case, or "0x83". */
  readonly type: string;
  /** PARTLABEL: UTF-8 in a byte string; empty where there is none. */
  readonly name: string;
}

export interface PartitionTable {
  readonly scheme: "gpt" | "dos";
  /** PTUUID: the disk's GUID, or its signature in eight digits. Empty for a GPT of which nothing is left. */
  readonly id: string;
  /** In ascending order of their numbers. Extended partitions are listed, with the size that the table says. */
  readonly partitions: readonly Partition[];
  /** What is wrong with the table, a sentence without its full stop. */
  readonly damaged?: string;
}

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
