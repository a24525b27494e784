/** How the identifiers of filesystems, partitions and arrays are spelled. */

/** Sixteen bytes as `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, lower case, in the order they stand (RFC 4122). */
export function formatUuid(bytes: Uint8Array): string {
  return dashed(hex(bytes.subarray(0, 16)));
}

/** Sixteen bytes as a GUID: its first three fields are little-endian (UEFI specification, appendix A). */
export function formatGuid(bytes: Uint8Array): string {
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return dashed(hex(Uint8Array.from(order, (index) => bytes[index] ?? 0)));
}

/** The four bytes of a FAT or exFAT volume serial number as `ABCD-1234`. */
export function formatFatSerial(bytes: Uint8Array): string {
  const digits = hex(Uint8Array.from([3, 2, 1, 0], (index) => bytes[index] ?? 0)).toUpperCase();
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
}

/** A dashed UUID as mdadm(8) spells it: `a:b:c:d`, eight digits each. Other text comes back as it was. */
export function colonUuid(uuid: string): string {
  const digits = uuid.replaceAll("-", "").toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(digits)) return uuid;
  return [0, 8, 16, 24].map((start) => digits.slice(start, start + 8)).join(":");
}

/** Any spelling of 32 hexadecimal digits (bare, dashed, mdadm's colons) as a dashed UUID; undefined for other text. */
export function dashUuid(text: string): string | undefined {
  const digits = plain(text);
  return /^[0-9a-f]{32}$/.test(digits) ? dashed(digits) : undefined;
}

/**
 * True when two spellings name the same UUID: case, dashes and colons don't count.
 *
 * Not for LVM2's identifiers, in which case tells letters apart. Empty text names nothing and equals nothing.
 */
export function sameUuid(a: string, b: string): boolean {
  return plain(a) !== "" && plain(a) === plain(b);
}

/** True when every byte is zero: how formats write "no UUID". */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function plain(text: string): string {
  return text.replace(/[-:]/g, "").toLowerCase();
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function dashed(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.*)$/, "$1-$2-$3-$4-$5");
}
