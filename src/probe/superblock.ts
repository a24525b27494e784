/**
 * What is on a block device: the answer that `blkid -p` gives, for the formats of ./formats.ts.
 *
 * Which superblock counts when a device carries several follows libblkid's safe probing
 * (libblkid/src/superblocks/superblocks.c):
 *
 * 1. Formats are asked in the order of their table, RAID members, then LVM2 and LUKS, then filesystems and swap.
 * 2. The first RAID member, physical volume or LUKS header is the answer. Whatever else is on the
 *    device belongs to what is inside: an md 1.0 member of a RAID1 has the whole filesystem at its start.
 * 3. On a device of at most 1440 KiB no RAID member or physical volume is looked for, and the first find is the answer.
 * 4. Otherwise a second find makes the answer ambivalent, unless both formats tolerate company.
 * 5. A superblock with a wrong checksum is none, as for libblkid; but when nothing valid is
 *    found, the first damaged one is the answer, with the sentence that says what is wrong.
 */

import { Device } from "./device.ts";
import type { Format, Found, Reader } from "./format.ts";
import { tiny_bytes } from "./format.ts";
import { formats } from "./formats.ts";
import { md090Extent } from "./md.ts";
import { readPartitionTable } from "./partitions.ts";

export type { Found, Reader } from "./format.ts";

/** More than one superblock, and no rule that says which one counts. */
export interface Ambivalent {
  readonly type: "ambivalent";
  /** The superblocks that collide, in the order in which they were found. */
  readonly candidates: readonly Found[];
}

/** True when a probe could not tell which of several superblocks counts. */
export function isAmbivalent(result: Found | Ambivalent): result is Ambivalent {
  return "candidates" in result;
}

/**
 * The superblock of a device of `size_bytes` bytes, or undefined when it has none that is known.
 *
 * Takes one read of the first 68 KiB and one near the end (124 KiB); more only when a superblock says
 * that something else belongs to it (a FAT's root directory, a large LUKS2 header). `sector_bytes`
 * is the logical sector size, needed where a partition table decides whether an md 0.90 superblock
 * is the disk's own. Rejects only when `read` does.
 */
export async function probeSuperblock(
  read: Reader,
  size_bytes: number,
  sector_bytes = 512,
): Promise<Found | Ambivalent | undefined> {
  const valid: { found: Found; tolerant: boolean }[] = [];
  let damaged: Found | undefined;
  for await (const { format, found } of survey(read, size_bytes, sector_bytes)) {
    if (found.damaged !== undefined) {
      damaged ??= found;
      continue;
    }
    if (found.usage === "raid" || found.usage === "crypto" || size_bytes <= tiny_bytes) return found;
    valid.push({ found, tolerant: format.tolerant === true });
  }
  if (valid.length > 1 && valid.some(({ tolerant }) => !tolerant))
    return { type: "ambivalent", candidates: valid.map(({ found }) => found) };
  return valid[0]?.found ?? damaged;
}

/** Every superblock on the device, damaged ones included, in the order in which they count (what wipefs(8) lists). */
export async function probeAll(read: Reader, size_bytes: number, sector_bytes = 512): Promise<Found[]> {
  const all: Found[] = [];
  for await (const { found } of survey(read, size_bytes, sector_bytes)) all.push(found);
  return all;
}

// The largest LUKS2 header takes 4 MiB; nothing else comes near.
const limit_bytes = 6 * 1024 * 1024;

// Times that a format may ask for more. A FAT32 root directory takes one for each of its clusters.
const rounds = 8;

async function* survey(
  read: Reader,
  size_bytes: number,
  sector_bytes: number,
): AsyncGenerator<{ format: Format; found: Found }> {
  // libblkid ignores such devices: the stubs that the kernel makes for extended partitions are this small.
  if (size_bytes <= 1024) return;
  const device = new Device(read, size_bytes, { bytes: limit_bytes });
  const fitting = formats.filter(({ minimum_bytes = 0 }) => size_bytes >= minimum_bytes);
  for (const format of fitting) device.want(format.windows);
  await device.load();
  for (const format of fitting) {
    let found = format.parse(device.at, size_bytes);
    for (let round = 0; round < rounds && (await device.load()); round++)
      found = format.parse(device.at, size_bytes);
    if (found === undefined || (await belongsToPartition(found, read, size_bytes, sector_bytes))) continue;
    yield { format, found };
  }
}

/*
 * An md 0.90 superblock does not say where it stands. At the end of the last partition it may be
 * in the very place where that of the whole disk would be; then the partition table tells.
 */
async function belongsToPartition(found: Found, read: Reader, size_bytes: number, sector_bytes: number) {
  const extent = md090Extent(found, size_bytes);
  if (extent === undefined) return false;
  const table = await readPartitionTable(read, size_bytes, sector_bytes);
  if (table === undefined) return false;
  const ends = table.partitions.map((p) => p.start_bytes + p.size_bytes);
  if (ends.some((partitionEnd) => partitionEnd > size_bytes)) return false;
  return table.partitions.some(
    (p, index) => extent.start >= p.start_bytes && extent.end <= (ends[index] ?? 0),
  );
}
