/**
 * The partition table of DOS, with logical partitions in extended ones.
 *
 * Numbers as in the kernel's block/partitions/msdos.c: 1 to 4 by place, 5 and up in the order of
 * the chain. The chain ends where it returns to a sector that it came from.
 */

import type { View } from "../lib/bytes.ts";
import type { Device } from "./device.ts";
import { isExfat } from "./exfat.ts";
import { ntfsTable } from "./ntfs.ts";
import type { Partition, PartitionTable } from "./table.ts";
import { fatGeometry } from "./vfat.ts";

/** One of the four entries of a table; places in sectors, relative to what the table belongs to. */
export interface MbrEntry {
  readonly boot_indicator: number;
  readonly type: number;
  readonly start: number;
  readonly sectors: number;
}

/** The four entries of a table in a sector of 512 bytes. */
export function mbrEntries(sector: View): MbrEntry[] {
  return [446, 462, 478, 494].map((offset) => ({
    boot_indicator: sector.u8(offset),
    type: sector.u8(offset + 4),
    start: sector.u32(offset + 8),
    sectors: sector.u32(offset + 12),
  }));
}

/** The table in the signed boot sector `boot`; undefined when the sector is that of a filesystem or of a GPT. */
export async function readMbr(
  device: Device,
  boot: View,
  sector_bytes: number,
): Promise<PartitionTable | undefined> {
  const entries = mbrEntries(boot);
  if (boot.has(0, aix) || entries.some(({ type }) => type === protective)) return undefined;
  if (!entries.every(({ boot_indicator }) => boot_indicator === 0 || boot_indicator === 0x80))
    return undefined;
  const last_sector = Math.floor(device.size_bytes / sector_bytes) - 1;
  if (isFilesystem(boot) && !arePlausible(entries, last_sector)) return undefined;

  const id = boot.u32(440).toString(16).padStart(8, "0");
  const partition = (number: number, start: number, { type, sectors }: MbrEntry): Partition => ({
    number,
    start_bytes: start * sector_bytes,
    size_bytes: sectors * sector_bytes,
    uuid: `${id}-${number.toString(16).padStart(2, "0")}`,
    type: `0x${type.toString(16)}`,
    name: "",
  });
  const partitions = entries.flatMap((entry, index) =>
    entry.sectors === 0 ? [] : [partition(index + 1, entry.start, entry)],
  );
  let number = first_logical;
  for (const entry of entries.filter(isExtended))
    for await (const { start, entry: logical } of walkChain(device, entry, sector_bytes)) {
      if (number > most_partitions) return { scheme: "dos", id, partitions };
      partitions.push(partition(number++, start, logical));
    }
  return { scheme: "dos", id, partitions };
}

// "IBMA" in EBCDIC: a disk of AIX.
const aix = "\xc9\xc2\xd4\xc1";
const protective = 0xee;
const extended_types: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);
const first_logical = 5;

// The kernel's limits: minor numbers of a disk, and links without a partition in between.
const most_partitions = 255;
const most_empty_links = 100;

function isExtended({ type, sectors }: MbrEntry): boolean {
  return sectors !== 0 && extended_types.has(type);
}

/*
 * A filesystem's boot sector ends in the same signature. What tells is the place of the table: boot
 * code, text or zeros instead of partitions that fit the disk.
 */
function isFilesystem(boot: View): boolean {
  return fatGeometry(boot) !== undefined || ntfsTable(boot) !== undefined || isExfat(boot);
}

function arePlausible(entries: readonly MbrEntry[], last_sector: number): boolean {
  const used = entries.filter(({ sectors }) => sectors !== 0);
  return (
    used.length > 0 && used.every(({ start, sectors }) => start > 0 && start + sectors - 1 <= last_sector)
  );
}

interface Logical {
  /** Absolute, in sectors. */
  readonly start: number;
  readonly entry: MbrEntry;
}

/*
 * Each link is a table of its own: partitions relative to the link, the next link relative to the
 * extended partition. Usually the first entry is the partition and the second the next link, but
 * some systems swap them, and some leave junk in the third and the fourth.
 */
async function* walkChain(device: Device, extended: MbrEntry, sector_bytes: number): AsyncGenerator<Logical> {
  if (extended.start === 0) return;
  const end = extended.start + extended.sectors;
  const visited = new Set<number>();
  let link = { start: extended.start, sectors: extended.sectors };
  let empty_links = 0;
  while (empty_links++ < most_empty_links && !visited.has(link.start)) {
    visited.add(link.start);
    const sector = await device.get(link.start * sector_bytes, 512);
    if (sector === undefined || !sector.has(510, "\x55\xaa")) return;
    const entries = mbrEntries(sector);
    for (const [index, entry] of entries.entries()) {
      if (entry.sectors === 0 || isExtended(entry)) continue;
      const start = link.start + entry.start;
      const outside = entry.start + entry.sectors > link.sectors || start + entry.sectors > end;
      if (index >= 2 && outside) continue;
      empty_links = 0;
      yield { start, entry };
    }
    const next = entries.find(isExtended);
    if (next === undefined) return;
    link = { start: extended.start + next.start, sectors: next.sectors };
  }
}
