/**
 * The two reflected 32-bit CRCs that disks carry.
 *
 * Formats differ in what the register starts with and in whether the result is inverted, so both
 * functions work on the bare register: they take it and return it. Chain calls to skip a field.
 */

/** Next value of a CRC register (unsigned 32 bits) after these bytes. */
export type Crc = (register: number, bytes: Uint8Array) => number;

/** CRC-32 of IEEE 802.3: GPT (start 0xffffffff, inverted at the end), f2fs and LVM2 (own starts, not inverted). */
export const crc32: Crc = reflectedCrc(0xedb88320);

/** CRC-32C of Castagnoli (RFC 3720): ext4 and erofs (start 0xffffffff, not inverted), xfs and btrfs (inverted). */
export const crc32c: Crc = reflectedCrc(0x82f63b78);

/** The register turned over, as many formats store it. */
export function inverted(register: number): number {
  return ~register >>> 0;
}

// The table is made at the first use: most boots need one of the two, and never for a blank disk.
function reflectedCrc(polynomial: number): Crc {
  let table: Uint32Array | undefined;
  return (register, bytes) => {
    table ??= makeTable(polynomial);
    let crc = register >>> 0;
    for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0);
    return crc >>> 0;
  };
}

function makeTable(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    return value;
  });
}
