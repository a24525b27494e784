/**
 * ext2, ext3, ext4 and external journals: one superblock, told apart by its feature bits.
 *
 * Layout: kernel, Documentation/filesystems/ext4/super.rst. The rules which type is which are those
 * of libblkid (superblocks/ext.c): what ext2 and ext3 would not mount is not called so.
 *
 * Details: `ext_journal` is the UUID of the external journal that the filesystem needs.
 */

import { crc32c } from "../lib/crc.ts";
import { formatUuid, isBlank } from "../lib/uuid.ts";
import type { View } from "../lib/bytes.ts";
import { labelField, uuidField } from "./fields.ts";
import { badChecksum, type Format, type Usage } from "./format.ts";

const start = 1024;
const length = 1024;

export const ext: Format = {
  name: "ext",
  windows: [{ offset: start, length }],
  parse(at) {
    const view = at(start, length);
    if (view === undefined || view.u16(0x38) !== 0xef53) return undefined;
    const features = readFeatures(view);
    const kind = classify(features);
    if (kind === undefined) return undefined;
    // A magic of two bytes is weak. Without a checksum, a sane block size has to vouch for it.
    if (!features.checksummed && view.u32(0x18) >= 256) return undefined;
    const journal = view.slice(0xd0, 16);
    const external = (features.compatible & compatible.has_journal) !== 0 && !isBlank(journal);
    return {
      ...kind,
      ...uuidField(view, 0x68),
      ...labelField(view, 0x78, 16),
      version: `${view.u32(0x4c)}.${view.u16(0x3e)}`,
      ...(external ? { details: { ext_journal: formatUuid(journal) } } : {}),
      ...(features.checksummed ? damage(view, kind.type) : {}),
    };
  },
};

interface Features {
  readonly compatible: number;
  readonly incompatible: number;
  readonly read_only: number;
  readonly test_filesystem: boolean;
  readonly checksummed: boolean;
}

const compatible = { has_journal: 0x4 };
const incompatible = { filetype: 0x2, recover: 0x4, journal_dev: 0x8, meta_bg: 0x10 };
const read_only = { sparse_super: 0x1, large_file: 0x2, btree_dir: 0x4, metadata_csum: 0x400 };
const test_filesystem_flag = 0x4;

// What the ext2 and the ext3 driver understand.
const old_read_only = read_only.sparse_super | read_only.large_file | read_only.btree_dir;
const ext2_incompatible = incompatible.filetype | incompatible.meta_bg;
const ext3_incompatible = ext2_incompatible | incompatible.recover;

function readFeatures(view: View): Features {
  return {
    compatible: view.u32(0x5c),
    incompatible: view.u32(0x60),
    read_only: view.u32(0x64),
    test_filesystem: (view.u32(0x160) & test_filesystem_flag) !== 0,
    checksummed: (view.u32(0x64) & read_only.metadata_csum) !== 0,
  };
}

function classify(features: Features): { type: string; usage: Usage } | undefined {
  if ((features.incompatible & incompatible.journal_dev) !== 0) return { type: "jbd", usage: "other" };
  if (features.test_filesystem) return { type: "ext4dev", usage: "filesystem" };
  const journal = (features.compatible & compatible.has_journal) !== 0;
  const new_read_only = (features.read_only & ~old_read_only) !== 0;
  if (new_read_only || (features.incompatible & ~ext3_incompatible) !== 0)
    return { type: "ext4", usage: "filesystem" };
  if (journal) return { type: "ext3", usage: "filesystem" };
  if ((features.incompatible & ~ext2_incompatible) === 0) return { type: "ext2", usage: "filesystem" };
  return undefined;
}

function damage(view: View, type: string): { damaged?: string } {
  const stored = view.u32(0x3fc);
  const computed = crc32c(0xffffffff, view.slice(0, 0x3fc));
  return stored === computed ? {} : { damaged: badChecksum(`${type} superblock`, stored, computed) };
}
