/** f2fs. Layout: kernel, include/linux/f2fs_fs.h (struct f2fs_super_block). The first superblock, as in libblkid. */

import type { View } from "../lib/bytes.ts";
import { crc32 } from "../lib/crc.ts";
import { labelOf, utf16ToUtf8, uuidField } from "./fields.ts";
import { badChecksum, type Format } from "./format.ts";

const start = 1024;
const length = 4096 - start;
const magic = 0xf2f52010;

export const f2fs: Format = {
  name: "f2fs",
  windows: [{ offset: start, length }],
  parse(at) {
    const view = at(start, length);
    if (view === undefined || view.u32(0) !== magic) return undefined;
    const [major, minor] = [view.u16(4), view.u16(6)];
    // Version 1.0 had another layout.
    if (major === 1 && minor === 0) return { type: "f2fs", usage: "filesystem" };
    const damaged = damage(view);
    return {
      type: "f2fs",
      usage: "filesystem",
      ...uuidField(view, 0x6c),
      ...labelOf(utf16ToUtf8(view.slice(0x7c, 1024), "little")),
      version: `${major}.${minor}`,
      ...(damaged === undefined ? {} : { damaged }),
    };
  },
};

function damage(view: View): string | undefined {
  const checksum_offset = view.u32(0x20);
  // Filesystems without the sb_checksum feature say so with a zero.
  if (checksum_offset === 0) return undefined;
  if (checksum_offset % 4 !== 0 || checksum_offset + 4 > length)
    return `f2fs superblock is damaged (its checksum would stand at ${checksum_offset})`;
  const stored = view.u32(checksum_offset);
  const computed = crc32(magic, view.slice(0, checksum_offset));
  return stored === computed ? undefined : badChecksum("f2fs superblock", stored, computed);
}
