/** What a format is to the prober, and what a probe says. */

import type { View } from "../lib/bytes.ts";

/**
 * Exactly `length` bytes at `offset` of the device (negative: from its end), or undefined.
 *
 * Undefined means that they lie outside of the device, could not be read, or were not read yet. A
 * format need not care which: it returns what it knows, and is asked again once the bytes are there.
 */
export type At = (offset: number, length: number) => View | undefined;

/** Reads up to `length` bytes at `offset`. Short at the end of the device; rejects when the disk can't be read. */
export type Reader = (offset: number, length: number) => Promise<Uint8Array>;

/** What a superblock is for. Names follow blkid(8)'s USAGE. */
export type Usage = "filesystem" | "raid" | "crypto" | "other";

/** A superblock. Names and spellings follow blkid(8), low-level probing. */
export interface Found {
  /** blkid's TYPE: "ext4", "crypto_LUKS", "linux_raid_member"… */
  readonly type: string;
  readonly usage: Usage;
  readonly uuid?: string;
  /** A byte string, without the padding: no NUL, no white space at its end. */
  readonly label?: string;
  /** The member's own UUID where `uuid` is that of the whole (btrfs, md). */
  readonly uuid_sub?: string;
  readonly version?: string;
  /** Facts of this format only; the file of each format lists them. */
  readonly details?: Readonly<Record<string, string>>;
  /**
   * What is wrong with the superblock, a sentence without its full stop: "ext4 superblock is damaged
   * (checksum 0badcafe, computed 12345678)". The other fields are then what the damaged bytes say, or for LUKS2
   * what a good second header says.
   */
  readonly damaged?: string;
}

/** A byte range that a format always needs; a negative offset counts from the end of the device. */
export interface Window {
  readonly offset: number;
  readonly length: number;
}

/** One kind of superblock. */
export interface Format {
  readonly name: string;
  /** Ranges worth reading before `parse` is asked. It may ask for more, when these say so. */
  readonly windows: readonly Window[];
  /** The smallest device that can hold it, in bytes; 0 where left out. */
  readonly minimum_bytes?: number;
  /** True for a format that may share a device with another one (an ISO image with a table or a filesystem inside). */
  readonly tolerant?: boolean;
  /** Never throws, whatever the bytes are. `size_bytes` is the size of the device. */
  parse(at: At, size_bytes: number): Found | undefined;
}

/** The largest device on which no RAID is looked for, and the first filesystem found is the answer (libblkid's "tiny"). */
export const tiny_bytes = 1440 * 1024;

/** The `damaged` sentence of a superblock whose checksum does not fit its bytes. */
export function badChecksum(superblock: string, stored: number, computed: number): string {
  return `${superblock} is damaged (checksum ${digits(stored)}, computed ${digits(computed)})`;
}

function digits(value: number): string {
  return value.toString(16).padStart(8, "0");
}
