/**
 * Fields of superblocks as optional properties: a blank field leaves the property out.
 *
 * Each function returns an object to spread into a Found.
 */

import { fromBytes, type View } from "../lib/bytes.ts";
import { formatUuid, isBlank } from "../lib/uuid.ts";

/** The UUID of sixteen bytes at `offset`; nothing when they are all zero. */
export function uuidField(view: View, offset: number): { uuid?: string } {
  const bytes = view.slice(offset, 16);
  return isBlank(bytes) ? {} : { uuid: formatUuid(bytes) };
}

/** Like uuidField, for the member's own UUID. */
export function uuidSubField(view: View, offset: number): { uuid_sub?: string } {
  const bytes = view.slice(offset, 16);
  return isBlank(bytes) ? {} : { uuid_sub: formatUuid(bytes) };
}

/** The label in `length` bytes at `offset`. */
export function labelField(view: View, offset: number, length: number): { label?: string } {
  return labelOf(view.string(offset, length));
}

/** A label without the white space behind it; nothing when nothing is left. */
export function labelOf(text: string): { label?: string } {
  const label = trimEnd(text);
  return label === "" ? {} : { label };
}

/** A byte string without the ASCII white space at its end (isspace(3) in the C locale). */
export function trimEnd(text: string): string {
  return text.replace(/[ \t-\r]+$/, "");
}

/**
 * UTF-16 as UTF-8, in a byte string, up to the first NUL character.
 *
 * Half a surrogate pair becomes three bytes, as libblkid writes it, so two names that differ stay different.
 */
export function utf16ToUtf8(bytes: Uint8Array, endian: "little" | "big"): string {
  const units = Buffer.from(bytes.subarray(0, bytes.length & ~1));
  if (endian === "big") units.swap16();
  const text = units.toString("utf16le").replace(/\0[^]*$/, "");
  let out = "";
  for (const character of text) out += utf8Of(character);
  return out;
}

/** A 64-bit value as a number; undefined when a number can't hold it exactly. */
export function safeNumber(value: bigint): number | undefined {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}

/** True when `value` is a power of two. */
export function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}

/** A copy of `bytes` in which the ones at `offset` are zero: many checksums are taken so. */
export function withZeros(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.fill(0, offset, offset + length);
  return copy;
}

function utf8Of(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0xd800 || code > 0xdfff) return fromBytes(Buffer.from(character, "utf8"));
  return fromBytes(Uint8Array.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)));
}
