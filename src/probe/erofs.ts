/** erofs. Layout: kernel, fs/erofs/erofs_fs.h (struct erofs_super_block); the checksum as in fs/erofs/super.c. */

import { crc32c } from "../lib/crc.ts";
import type { View } from "../lib/bytes.ts";
import { labelField, uuidField, withZeros } from "./fields.ts";
import { badChecksum, type At, type Format } from "./format.ts";

const start = 1024;
const magic = 0xe0f5e1e2;
const has_checksum = 0x1;

export const erofs: Format = {
  name: "erofs",
  windows: [{ offset: start, length: 4096 - start }],
  parse(at) {
    const view = at(start, 128);
    if (view === undefined || view.u32(0) !== magic) return undefined;
    const block_log = view.u8(12);
    if (block_log < 9 || block_log > 16) return undefined;
    const damaged = (view.u32(8) & has_checksum) === 0 ? undefined : damage(view, at, 2 ** block_log);
    return {
      type: "erofs",
      usage: "filesystem",
      ...uuidField(view, 48),
      ...labelField(view, 64, 16),
      ...(damaged === undefined ? {} : { damaged }),
    };
  },
};

// From the superblock to the end of its block; a block that ends before it counts whole.
function damage(view: View, at: At, block_bytes: number): string | undefined {
  const length = block_bytes > start ? block_bytes - start : block_bytes;
  const covered = at(start, length);
  if (covered === undefined) return "erofs superblock is damaged (the device ends within its block)";
  const stored = view.u32(4);
  const computed = crc32c(0xffffffff, withZeros(covered.slice(0, length), 4, 4));
  return stored === computed ? undefined : badChecksum("erofs superblock", stored, computed);
}
