/** What a linked file says of itself: the first words behind the stub's magic (layout.h). */

import { fromBytes } from "../lib/bytes.ts";

/** Stands in front of `struct stub_config`. */
export const STUB_MAGIC = "RDINITSTUBCONFIG";

/** The magic stands within so many bytes from the start of a linked file: the header's page and the stub. */
export const HEAD_SIZE = 64 * 1024;

/** Of one file. */
export interface Identity {
  /** The whole file's; a shorter one was cut. */
  readonly size: bigint;
  /** The same in the plain and the packed form of one program, and in no other. */
  readonly build: bigint;
}

/** Reads the first HEAD_SIZE bytes of a file; undefined when rdinit's stub is not in them. */
export function readIdentity(head: Uint8Array): Identity | undefined {
  const at = fromBytes(head).indexOf(STUB_MAGIC);
  if (at < 0 || at + STUB_MAGIC.length + 16 > head.length) return undefined;
  const words = new DataView(head.buffer, head.byteOffset + at + STUB_MAGIC.length);
  return { size: words.getBigUint64(0, true), build: words.getBigUint64(8, true) };
}
