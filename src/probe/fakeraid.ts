/**
 * Members of containers whose metadata belongs to a disk controller's firmware: Intel's (IMSM, isw_raid_member) and
 * the Common RAID Disk Data Format of SNIA (ddf_raid_member). Told apart and no more, as libblkid does it
 * (libblkid/src/superblocks/isw_raid.c, ddf_raid.c).
 *
 * `uuid` is DDF's identifier of the container, in the bytes that stand there.
 */

import type { View } from "../lib/bytes.ts";
import { type At, type Format, type Found } from "./format.ts";

const isw_signature = "Intel Raid ISM Cfg Sig. ";

/** The last but one sector, whatever a sector is. */
const isw_offsets = [-1024, -8192];

export const isw: Format = {
  name: "isw_raid_member",
  windows: isw_offsets.map((offset) => ({ offset, length: 32 })),
  minimum_bytes: 0x10000,
  parse(at, size_bytes): Found | undefined {
    for (const offset of isw_offsets) {
      const view = at(wholeSectors(size_bytes, -offset / 2) + offset, 32);
      if (view?.has(0, isw_signature) === true)
        return { type: isw.name, usage: "raid", version: view.string(isw_signature.length, 6) };
    }
    return undefined;
  },
};

/** Where the anchor of DDF may stand, in sectors of 512 bytes from the end; the second place is Adaptec's. */
const ddf_sectors = [1, 257];
const ddf_magic = 0xde11de11;

export const ddf: Format = {
  name: "ddf_raid_member",
  windows: ddf_sectors.map((sectors) => ({ offset: -512 * sectors, length: 512 })),
  minimum_bytes: 0x30000,
  parse(at, size_bytes): Found | undefined {
    const anchors = ddf_sectors.map((sectors) => at(wholeSectors(size_bytes, 512) - 512 * sectors, 512));
    const anchor = anchors.find((view) => view?.u32be(0) === ddf_magic || view?.u32(0) === ddf_magic);
    if (anchor === undefined || !hasPrimary(at, anchor, size_bytes)) return undefined;
    const uuid = anchor.string(8, 24);
    return {
      type: ddf.name,
      usage: "raid",
      ...(uuid === "" ? {} : { uuid }),
      version: anchor.string(32, 8),
    };
  },
};

// An anchor that names a primary header must be followed to one.
function hasPrimary(at: At, anchor: View, size_bytes: number): boolean {
  const big = anchor.u32be(0) === ddf_magic;
  const sector = big ? anchor.u64be(96) : anchor.u64(96);
  if (sector === 0n) return true;
  if (sector >= BigInt(Math.floor(size_bytes / 512))) return false;
  const primary = at(Number(sector) * 512, 4);
  return primary?.u32be(0) === anchor.u32be(0);
}

function wholeSectors(size_bytes: number, sector_bytes: number): number {
  return Math.floor(size_bytes / sector_bytes) * sector_bytes;
}
