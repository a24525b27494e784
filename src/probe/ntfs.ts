/**
 * NTFS. Layout: Linux-NTFS documentation, "$Boot", "FILE record" and "$VOLUME_NAME"; checks as in
 * libblkid (superblocks/ntfs.c). The label is an attribute of the fourth record of the master file table.
 */

import type { View } from "../lib/bytes.ts";
import { labelOf, safeNumber, utf16ToUtf8 } from "./fields.ts";
import type { Format } from "./format.ts";

export const ntfs: Format = {
  name: "ntfs",
  windows: [{ offset: 0, length: 4096 }],
  parse(at) {
    const boot = at(0, 512);
    const table = boot && ntfsTable(boot);
    if (boot === undefined || table === undefined) return undefined;
    const first = at(table.offset, table.record_bytes);
    const volume = at(table.offset + 3 * table.record_bytes, table.record_bytes);
    if (!first?.has(0, "FILE") || !volume?.has(0, "FILE")) return undefined;
    const serial = boot.u64(0x48);
    return {
      type: "ntfs",
      usage: "filesystem",
      ...(serial === 0n ? {} : { uuid: serial.toString(16).toUpperCase().padStart(16, "0") }),
      ...labelOf(volumeName(volume)),
    };
  },
};

/** Where the master file table stands, in bytes, and how long its records are. */
export interface NtfsTable {
  readonly offset: number;
  readonly record_bytes: number;
}

/** The master file table that a boot sector (512 bytes) points to; undefined when it is not one of NTFS. */
export function ntfsTable(boot: View): NtfsTable | undefined {
  if (!boot.has(3, "NTFS    ")) return undefined;
  const sector_bytes = boot.u16(0x0b);
  const cluster_sectors = clusterSectors(boot.u8(0x0d));
  if (sector_bytes < 256 || sector_bytes > 4096 || cluster_sectors === undefined) return undefined;
  const cluster_bytes = sector_bytes * cluster_sectors;
  if (cluster_bytes > most_cluster_bytes || !unusedAreZero(boot)) return undefined;
  const record_bytes = recordBytes(boot.u8(0x40), cluster_bytes);
  const clusters = boot.u64(0x28) / BigInt(cluster_sectors);
  if (record_bytes === undefined || boot.u64(0x30) > clusters || boot.u64(0x38) > clusters) return undefined;
  const offset = safeNumber(boot.u64(0x30) * BigInt(cluster_bytes));
  return offset === undefined ? undefined : { offset, record_bytes };
}

const most_cluster_bytes = 2 * 1024 * 1024;
const volume_name = 0x60;
const last_attribute = 0xffffffff;

// Up to 128 the number itself, from 240 on the power of two that it is below 256.
function clusterSectors(stored: number): number | undefined {
  if (stored >= 240 && stored <= 249) return 2 ** (256 - stored);
  return [1, 2, 4, 8, 16, 32, 64, 128].includes(stored) ? stored : undefined;
}

// Clusters, or the power of two below 256, in bytes.
function recordBytes(stored: number, cluster_bytes: number): number | undefined {
  if (stored >= 0xe1 && stored <= 0xf7) return 2 ** (256 - stored);
  return [1, 2, 4, 8, 16, 32, 64].includes(stored) ? stored * cluster_bytes : undefined;
}

// The fields that a FAT has here.
function unusedAreZero(boot: View): boolean {
  const fields = [
    boot.u16(0x0e),
    boot.u8(0x10),
    boot.u16(0x11),
    boot.u16(0x13),
    boot.u16(0x16),
    boot.u32(0x20),
  ];
  return fields.every((field) => field === 0);
}

// An attribute: type, length, and for a resident one the length and place of its value.
function volumeName(record: View): string {
  const header_bytes = 22;
  const most = Math.min(record.length - header_bytes, record.u32(0x1c));
  let offset = record.u16(0x14);
  while (offset <= most) {
    const type = record.u32(offset);
    const length = record.u32(offset + 4);
    if (length === 0 || type === last_attribute) break;
    if (type === volume_name) {
      const value = offset + record.u16(offset + 20);
      const value_bytes = record.u32(offset + 16);
      if (value + value_bytes > record.length) break;
      return utf16ToUtf8(record.slice(value, value_bytes), "little");
    }
    offset += length;
  }
  return "";
}
