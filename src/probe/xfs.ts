/**
 * XFS. Layout: kernel, fs/xfs/libxfs/xfs_format.h (struct xfs_dsb), big-endian.
 *
 * The magic is four letters, so the geometry has to make sense as well (as xfs_validate_sb_common()
 * and libblkid want it). Version 5 carries a CRC-32C over the whole sector.
 */

import type { View } from "../lib/bytes.ts";
import { crc32c, inverted } from "../lib/crc.ts";
import { labelField, uuidField, withZeros } from "./fields.ts";
import { badChecksum, type Format } from "./format.ts";

const crc_offset = 0xe0;
const has_more_features = 0x8000;
const has_crc = 0x100;

export const xfs: Format = {
  name: "xfs",
  windows: [{ offset: 0, length: 4096 }],
  parse(at) {
    const head = at(0, 512);
    if (head === undefined || !head.has(0, "XFSB")) return undefined;
    const damaged = geometryDamage(head) ?? checksumDamage(head, at(0, head.u16be(0x66)));
    return {
      type: "xfs",
      usage: "filesystem",
      ...uuidField(head, 0x20),
      ...labelField(head, 0x6c, 12),
      ...(damaged === undefined ? {} : { damaged }),
    };
  },
};

function geometryDamage(view: View): string | undefined {
  const block_bytes = view.u32be(0x04);
  const group_blocks = BigInt(view.u32be(0x54));
  const groups = BigInt(view.u32be(0x58));
  const blocks = view.u64be(0x08);
  const realtime_extent_bytes = view.u32be(0x50) * block_bytes;
  const [block_log = 0, sector_log = 0, inode_log = 0, inodes_per_block_log = 0] = view.slice(0x78, 4);
  const sane =
    isSize(block_bytes, block_log, 9, 16) &&
    isSize(view.u16be(0x66), sector_log, 9, 15) &&
    isSize(view.u16be(0x68), inode_log, 8, 11) &&
    block_log - inode_log === inodes_per_block_log &&
    realtime_extent_bytes >= 4096 &&
    realtime_extent_bytes <= 2 ** 30 &&
    view.u8(0x7f) <= 100 &&
    groups > 0n &&
    blocks > 0n &&
    blocks <= groups * group_blocks &&
    blocks >= (groups - 1n) * group_blocks + 64n;
  return sane ? undefined : "xfs superblock is damaged (its sizes contradict each other)";
}

function isSize(bytes: number, log: number, least_log: number, most_log: number): boolean {
  return log >= least_log && log <= most_log && bytes === 2 ** log;
}

function checksumDamage(head: View, sector: View | undefined): string | undefined {
  if ((head.u16be(0x64) & 0xf) !== 5) return undefined;
  if ((head.u16be(0x64) & has_more_features) === 0 || (head.u32be(0xc8) & has_crc) === 0)
    return "xfs superblock is damaged (version 5 without its checksum feature)";
  if (sector === undefined) return "xfs superblock is damaged (the device ends within it)";
  const stored = head.u32(crc_offset);
  const computed = inverted(crc32c(0xffffffff, withZeros(sector.slice(0, sector.length), crc_offset, 4)));
  return stored === computed ? undefined : badChecksum("xfs superblock", stored, computed);
}
