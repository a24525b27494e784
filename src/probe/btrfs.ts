/**
 * btrfs, the first superblock. Layout: kernel, include/uapi/linux/btrfs_tree.h (struct btrfs_super_block).
 *
 * `uuid` is that of the filesystem, `uuid_sub` that of this device in it.
 * Details: `num_devices`, how many devices make up the filesystem; `devid`, which one this is.
 */

import { fromBytes, type View } from "../lib/bytes.ts";
import { crc32c, inverted } from "../lib/crc.ts";
import { labelField, uuidField, uuidSubField } from "./fields.ts";
import type { Format } from "./format.ts";

const start = 0x10000;
const length = 4096;
const checksum_bytes = 32;

export const btrfs: Format = {
  name: "btrfs",
  windows: [{ offset: start, length }],
  minimum_bytes: 1024 * 1024,
  parse(at) {
    const view = at(start, length);
    if (view === undefined || !view.has(0x40, "_BHRfS_M")) return undefined;
    const damaged = damage(view);
    // A sound copy that belongs to another place: not this device's superblock.
    if (damaged === undefined && view.u64(0x30) !== BigInt(start)) return undefined;
    return {
      type: "btrfs",
      usage: "filesystem",
      ...uuidField(view, 0x20),
      ...uuidSubField(view, 0x10b),
      ...labelField(view, 0x12b, 256),
      details: { num_devices: `${view.u64(0x88)}`, devid: `${view.u64(0xc9)}` },
      ...(damaged === undefined ? {} : { damaged }),
    };
  },
};

// By the number in csum_type (enum btrfs_csum_type). A checksum is stored in the first bytes of its field.
const checksums: readonly ((bytes: Uint8Array) => Uint8Array)[] = [
  (bytes) => littleEndian(BigInt(inverted(crc32c(0xffffffff, bytes))), 4),
  (bytes) => littleEndian(Bun.hash.xxHash64(bytes, 0n), 8),
  (bytes) => new Bun.CryptoHasher("sha256").update(bytes).digest(),
  (bytes) => new Bun.CryptoHasher("blake2b256").update(bytes).digest(),
];

function damage(view: View): string | undefined {
  if (view.u32(0x90) === 0) return "btrfs superblock is damaged (its sector size is 0)";
  // A kind of checksum that is newer than this program can't be checked; the kernel will.
  const computed = checksums[view.u16(0xc4)]?.(view.slice(checksum_bytes, length - checksum_bytes));
  if (computed === undefined) return undefined;
  const stored = view.slice(0, computed.length);
  if (fromBytes(stored) === fromBytes(computed)) return undefined;
  return `btrfs superblock is damaged (checksum ${hex(stored)}, computed ${hex(computed)})`;
}

function littleEndian(value: bigint, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
