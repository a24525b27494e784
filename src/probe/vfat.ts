/**
 * FAT12, FAT16 and FAT32.
 *
 * Layout: Microsoft, "FAT32 File System Specification" 1.03; which boot sectors count as FAT, and
 * where the label comes from, as in libblkid (superblocks/vfat.c): the volume entry of the root
 * directory, never the copy in the boot sector.
 */

import { fromBytes, type View } from "../lib/bytes.ts";
import { formatFatSerial, isBlank } from "../lib/uuid.ts";
import { isPowerOfTwo, labelOf } from "./fields.ts";
import type { At, Format } from "./format.ts";

export const vfat: Format = {
  name: "vfat",
  windows: [{ offset: 0, length: 4096 }],
  parse(at) {
    const boot = at(0, 512);
    const geometry = boot && fatGeometry(boot);
    if (boot === undefined || geometry === undefined) return undefined;
    if (geometry.fat32 && !hasFsInfo(at, geometry)) return undefined;
    const name = geometry.fat32 ? searchChain(at, geometry) : searchRoot(at, geometry);
    const version = fatVersion(geometry);
    return {
      type: "vfat",
      usage: "filesystem",
      ...serialField(boot, geometry.fat32),
      ...labelOf(name ?? ""),
      ...(version === undefined ? {} : { version }),
    };
  },
};

/** What a FAT boot sector says of its filesystem; all sizes in sectors unless named otherwise. */
export interface FatGeometry {
  readonly fat32: boolean;
  readonly sector_bytes: number;
  readonly cluster_sectors: number;
  readonly reserved_sectors: number;
  /** All copies of the table. */
  readonly fat_sectors: number;
  readonly clusters: number;
  readonly root_entries: number;
  readonly root_cluster: number;
  readonly fsinfo_sector: number;
  /** Entries that one copy of the table has room for (FAT32). */
  readonly table_entries: number;
}

/** The geometry in a boot sector (512 bytes), or undefined when it is not that of a FAT. */
export function fatGeometry(boot: View): FatGeometry | undefined {
  if (!names.some(([offset, name]) => boot.has(offset, name)) && !isUnnamedFat(boot)) return undefined;
  const copies = boot.u8(0x10);
  const media = boot.u8(0x15);
  const sector_bytes = boot.u16(0x0b);
  const cluster_sectors = boot.u8(0x0d);
  const reserved_sectors = boot.u16(0x0e);
  if (copies === 0 || reserved_sectors === 0 || !(media >= 0xf8 || media === 0xf0)) return undefined;
  if (!isPowerOfTwo(cluster_sectors) || !isPowerOfTwo(sector_bytes)) return undefined;
  if (sector_bytes < 512 || sector_bytes > 4096) return undefined;

  const short_table = boot.u16(0x16);
  const long_table = boot.u32(0x24);
  if (short_table === 0 && long_table === 0) return undefined;
  const root_entries = boot.u16(0x11);
  const fat32 = short_table === 0;
  const fat_sectors = (fat32 ? long_table : short_table) * copies;
  const root_sectors = Math.ceil((root_entries * entry_bytes) / sector_bytes);
  const sectors = boot.u16(0x13) === 0 ? boot.u32(0x20) : boot.u16(0x13);
  const data_sectors = sectors - (reserved_sectors + fat_sectors + root_sectors);
  const clusters = Math.floor(data_sectors / cluster_sectors);
  if (clusters < 0 || clusters > (fat32 ? fat32_clusters : fat16_clusters)) return undefined;
  return {
    fat32,
    sector_bytes,
    cluster_sectors,
    reserved_sectors,
    fat_sectors,
    clusters,
    root_entries,
    root_cluster: boot.u32(0x2c),
    fsinfo_sector: boot.u16(0x30),
    table_entries: Math.floor((long_table * sector_bytes) / 4),
  };
}

const names: readonly (readonly [offset: number, name: string])[] = [
  [0x52, "MSWIN"],
  [0x52, "FAT32   "],
  [0x36, "MSDOS"],
  [0x36, "FAT16   "],
  [0x36, "FAT12   "],
  [0x36, "FAT     "],
];

// The most clusters of each kind.
const fat12_clusters = 0xff4;
const fat16_clusters = 0xfff4;
const fat32_clusters = 0xffffff6;

const entry_bytes = 32;

// How much of a directory is worth reading for a label that nearly always is its first entry.
const search_bytes = 64 * 1024;
const search_clusters = 8;

// Old boot sectors lack the name. OS/2 puts something like one in front of HPFS and JFS.
function isUnnamedFat(boot: View): boolean {
  return boot.has(0x1fe, "\x55\xaa") && !boot.has(0x36, "JFS     ") && !boot.has(0x36, "HPFS    ");
}

function fatVersion({ fat32, clusters }: FatGeometry): string | undefined {
  if (fat32) return "FAT32";
  if (clusters < fat12_clusters) return "FAT12";
  return clusters < fat16_clusters ? "FAT16" : undefined;
}

function serialField(boot: View, fat32: boolean): { uuid?: string } {
  const extended = boot.u8(0x26) === 0x28 || boot.u8(0x26) === 0x29;
  const serial = boot.slice(fat32 ? 0x43 : 0x27, 4);
  return isBlank(serial) || !(fat32 || extended) ? {} : { uuid: formatFatSerial(serial) };
}

// Some systems leave the signatures of the information sector blank.
function hasFsInfo(at: At, { fsinfo_sector, sector_bytes }: FatGeometry): boolean {
  if (fsinfo_sector === 0) return true;
  const info = at(fsinfo_sector * sector_bytes, 512);
  if (info === undefined) return false;
  return (
    ["RRaA", "RRdA", "\0\0\0\0"].some((signature) => info.has(0, signature)) &&
    ["rrAa", "\0\0\0\0"].some((signature) => info.has(484, signature))
  );
}

// FAT12 and FAT16: the root directory stands between the tables and the clusters.
function searchRoot(at: At, geometry: FatGeometry): string | undefined {
  const offset = (geometry.reserved_sectors + geometry.fat_sectors) * geometry.sector_bytes;
  return searchEntries(at, offset, geometry.root_entries * entry_bytes).label;
}

// FAT32: the root directory is a chain of clusters. Cluster numbers start at 2.
function searchChain(at: At, geometry: FatGeometry): string | undefined {
  const { sector_bytes, cluster_sectors, reserved_sectors, fat_sectors, table_entries } = geometry;
  let cluster = geometry.root_cluster;
  for (let step = 0; step < search_clusters && cluster >= 2 && cluster < table_entries; step++) {
    const sector = reserved_sectors + fat_sectors + (cluster - 2) * cluster_sectors;
    const entry = at(reserved_sectors * sector_bytes + cluster * 4, 4);
    const { label, ended } = searchEntries(at, sector * sector_bytes, cluster_sectors * sector_bytes);
    if (ended || entry === undefined) return label;
    cluster = entry.u32(0) & 0xfffffff;
  }
  return undefined;
}

interface Search {
  readonly label?: string;
  /** True when the rest of the directory need not be looked at. */
  readonly ended: boolean;
}

function searchEntries(at: At, offset: number, directory_bytes: number): Search {
  const length = Math.min(directory_bytes, search_bytes);
  const directory = at(offset, length);
  if (directory === undefined) return { ended: true };
  for (let entry = 0; entry + entry_bytes <= length; entry += entry_bytes) {
    const first = directory.u8(entry);
    if (first === 0) return { ended: true };
    if (first !== 0xe5 && isVolumeEntry(directory, entry))
      return { label: fromName(directory.slice(entry, 11)), ended: true };
  }
  return { ended: false };
}

function isVolumeEntry(directory: View, entry: number): boolean {
  const attributes = directory.u8(entry + 11);
  const long_name = (attributes & 0x3f) === 0x0f;
  const empty = directory.u16(entry + 20) === 0 && directory.u16(entry + 26) === 0;
  return empty && !long_name && (attributes & (volume | subdirectory)) === volume;
}

const volume = 0x08;
const subdirectory = 0x10;

// A name whose first byte is 0xe5, which marks free entries, is written with 0x05 in its place.
function fromName(name: Uint8Array): string {
  const bytes = Uint8Array.from(name);
  if (bytes[0] === 0x05) bytes[0] = 0xe5;
  return fromBytes(bytes).replace(/\0[^]*$/, "");
}
