/** The md superblock of version 0.90 (kernel, include/uapi/linux/raid/md_p.h, struct mdp_superblock_s). */

import type { View } from "../lib/bytes.ts";
import { badChecksum, type At, type Found } from "./format.ts";
import { levelName, md_magic } from "./mdlevel.ts";
import { formatUuid } from "../lib/uuid.ts";

const length = 4096;
const reserved_bytes = 0x10000;

/** Where the superblock stands: in the last whole 64 KiB of the device, aligned to 64 KiB. */
export function md090Offset(size_bytes: number): number {
  return Math.floor(size_bytes / reserved_bytes) * reserved_bytes - reserved_bytes;
}

/** The superblock of a device of `size_bytes` bytes, in either byte order. */
export function md090(at: At, size_bytes: number): Found | undefined {
  const offset = md090Offset(size_bytes);
  const view = at(offset, length);
  if (view === undefined) return undefined;
  const word = wordsOf(view);
  if (word === undefined) return undefined;
  const component_bytes = word(8) * 1024;
  if (size_bytes < component_bytes + reserved_bytes || offset < component_bytes) return undefined;
  const minor = word(2);
  const stored = word(38);
  const computed = checksum(word);
  return {
    type: "linux_raid_member",
    usage: "raid",
    ...arrayUuid(minor >= 90 ? [word(5), word(13), word(14), word(15)] : [word(5), 0, 0, 0]),
    version: `${word(1)}.${minor}.${word(3)}`,
    details: {
      level: levelName(word(7)),
      raid_disks: `${word(10)}`,
      events: `${events(view, word)}`,
      component_bytes: `${component_bytes}`,
      minor: `${word(11)}`,
      ...rolesOf(word),
    },
    ...(fold(stored) === fold(computed) ? {} : { damaged: badChecksum("md superblock", stored, computed) }),
  };
}

type Words = (index: number) => number;

function wordsOf(view: View): Words | undefined {
  if (view.u32(0) === md_magic) return (index) => view.u32(4 * index);
  if (view.u32be(0) === md_magic) return (index) => view.u32be(4 * index);
  return undefined;
}

// disks[27] and this_disk: number, major, minor, raid_disk, state, in 32 words each.
const disks_word = 128;
const disk_words = 32;
const most_disks = 27;
const state = { faulty: 1, sync: 4, removed: 8 };

function rolesOf(word: Words): { role: string; active: string; number: string } {
  const disk = (index: number): { raid_disk: number; flags: number } => ({
    raid_disk: word(disks_word + disk_words * index + 3),
    flags: word(disks_word + disk_words * index + 4),
  });
  const working = Array.from({ length: most_disks }, (_, index) => disk(index)).filter(
    (one) => isWorking(one.flags) && one.raid_disk < word(10),
  );
  // What the table says of this device counts, as in the kernel (super_90_validate()).
  const number = word(disks_word + disk_words * most_disks);
  const own = number < most_disks ? disk(number) : undefined;
  const role = own === undefined ? "spare" : roleOf(own.raid_disk, own.flags, word(10));
  const active = working.map((one) => one.raid_disk).sort((a, b) => a - b);
  return { role, active: active.join(" "), number: `${number}` };
}

function isWorking(flags: number): boolean {
  return (flags & state.sync) !== 0 && (flags & (state.faulty | state.removed)) === 0;
}

function roleOf(raid_disk: number, flags: number, raid_disks: number): string {
  if ((flags & (state.faulty | state.removed)) !== 0) return "faulty";
  return isWorking(flags) && raid_disk < raid_disks ? `${raid_disk}` : "spare";
}

function arrayUuid(words: readonly number[]): { uuid?: string } {
  if (words.every((word) => word === 0)) return {};
  const view = new DataView(new ArrayBuffer(16));
  words.forEach((word, index) => view.setUint32(4 * index, word));
  return { uuid: formatUuid(new Uint8Array(view.buffer)) };
}

// The two halves of the count stand in the order of the machine that wrote them.
function events(view: View, word: Words): bigint {
  const [high, low] = view.u32(0) === md_magic ? [word(40), word(39)] : [word(39), word(40)];
  return (BigInt(high) << 32n) | BigInt(low);
}

// The sum of all words, as if the checksum's own were zero.
function checksum(word: Words): number {
  let sum = -word(38);
  for (let index = 0; index < length / 4; index++) sum += word(index);
  return ((sum % 2 ** 32) + Math.floor(sum / 2 ** 32)) >>> 0;
}

// The kernel compares 16 bits: some machines once stored no more.
function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}
