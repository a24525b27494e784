/**
 * The GUID partition table. Layout: UEFI specification, section 5.3; checks as in the kernel's
 * block/partitions/efi.c, but entries may be longer than 128 bytes, by any multiple of 8 (as old
 * versions of the specification had it; new ones want 128 times a power of two).
 */

import type { View } from "../lib/bytes.ts";
import { crc32, inverted } from "../lib/crc.ts";
import { formatGuid, isBlank } from "../lib/uuid.ts";
import type { Device } from "./device.ts";
import { safeNumber, trimEnd, utf16ToUtf8, withZeros } from "./fields.ts";
import { badChecksum } from "./format.ts";
import { mbrEntries } from "./mbr.ts";
import type { Partition, PartitionTable } from "./table.ts";

/** The GPT of a disk whose first sector is `boot`; undefined when no protective MBR says that there is one. */
export async function readGpt(
  device: Device,
  boot: View,
  sector_bytes: number,
): Promise<PartitionTable | undefined> {
  if (!mbrEntries(boot).some(({ type }) => type === protective)) return undefined;
  const last_sector = Math.floor(device.size_bytes / sector_bytes) - 1;
  const disk = { device, sector_bytes, last_sector };
  const primary = await readCopy(disk, 1);
  if (typeof primary !== "string") return primary;
  const backup = await readCopy(disk, last_sector);
  if (typeof backup !== "string") return { ...backup, damaged: `the primary ${primary}; ${backup_is_good}` };
  return {
    scheme: "gpt",
    id: "",
    partitions: [],
    damaged: `the primary ${primary}, and the backup ${backup}`,
  };
}

interface Disk {
  readonly device: Device;
  readonly sector_bytes: number;
  readonly last_sector: number;
}

// find_valid_gpt() looks at the backup alone only when it is told to trust it.
const backup_is_good =
  "the backup at the end of the disk is good, but the kernel uses it only when its command line has the word gpt";

const protective = 0xee;
const header_bytes = 92;
const entry_bytes = 128;
const most_entry_bytes = 4096;
const most_list_bytes = 4 * 1024 * 1024;

// The table whose header stands at `sector`, or what is wrong with it.
async function readCopy(disk: Disk, sector: number): Promise<PartitionTable | string> {
  const { device, sector_bytes } = disk;
  const header = await device.get(sector * sector_bytes, sector_bytes);
  if (header === undefined || !header.has(0, "EFI PART"))
    return `GPT header is missing from sector ${sector}`;
  const damage = headerDamage(header, disk, sector);
  if (damage !== undefined) return damage;
  const count = header.u32(80);
  const each_bytes = header.u32(84);
  const offset = (safeNumber(header.u64(72)) ?? Infinity) * sector_bytes;
  const list = await device.get(offset, count * each_bytes);
  if (list === undefined) return "GPT header is damaged (its list of partitions lies outside of the disk)";
  const stored = header.u32(88);
  const computed = inverted(crc32(0xffffffff, list.slice(0, list.length)));
  if (stored !== computed) return badChecksum("list of partitions of the GPT", stored, computed);
  const partitions = Array.from({ length: count }, (_, index) =>
    parseEntry(list, index * each_bytes, index + 1, disk),
  ).filter((partition) => partition !== undefined);
  return { scheme: "gpt", id: formatGuid(header.slice(56, 16)), partitions };
}

function headerDamage(header: View, { sector_bytes, last_sector }: Disk, sector: number): string | undefined {
  const length = header.u32(12);
  if (length < header_bytes || length > sector_bytes)
    return `GPT header is damaged (it can't be ${length} bytes long)`;
  const stored = header.u32(16);
  const computed = inverted(crc32(0xffffffff, withZeros(header.slice(0, length), 16, 4)));
  if (stored !== computed) return badChecksum("GPT header", stored, computed);
  if (header.u64(24) !== BigInt(sector))
    return `GPT header is damaged (it stands in sector ${sector} and belongs to ${header.u64(24)})`;
  const [first_usable, last_usable] = [header.u64(40), header.u64(48)];
  if (first_usable > last_usable || last_usable > BigInt(last_sector))
    return `GPT header is damaged (its partitions may use ${first_usable} to ${last_usable} of ${last_sector} sectors)`;
  const [count, each_bytes] = [header.u32(80), header.u32(84)];
  const sane = each_bytes >= entry_bytes && each_bytes <= most_entry_bytes && each_bytes % 8 === 0;
  if (!sane || count === 0 || count * each_bytes > most_list_bytes)
    return `GPT header is damaged (it can't have ${count} partitions of ${each_bytes} bytes each)`;
  return undefined;
}

function parseEntry(list: View, offset: number, number: number, disk: Disk): Partition | undefined {
  const type = list.slice(offset, 16);
  if (isBlank(type)) return undefined;
  const first = safeNumber(list.u64(offset + 32)) ?? Infinity;
  const last = safeNumber(list.u64(offset + 40)) ?? Infinity;
  if (first > last || last > disk.last_sector) return undefined;
  return {
    number,
    start_bytes: first * disk.sector_bytes,
    size_bytes: (last - first + 1) * disk.sector_bytes,
    uuid: formatGuid(list.slice(offset + 16, 16)),
    type: formatGuid(type),
    name: trimEnd(utf16ToUtf8(list.slice(offset + 56, 72), "little")),
  };
}
