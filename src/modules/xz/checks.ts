/** The integrity checks of the .xz format: none, CRC32, CRC64 (ECMA-182) and SHA-256. */

import { XzError } from "./error.ts";

/** How many bytes the check of this id takes (section 2.1.1.2 of the format; the id has four bits). */
export function checkSize(id: number): number {
  return id === 0 ? 0 : 4 << Math.ceil(id / 3 - 1);
}

/** Throws XzError when `expected` is not the check of `bytes`, or when the check is of an unknown kind. */
export function verifyCheck(id: number, bytes: Uint8Array, expected: Uint8Array): void {
  const compute = CHECKS[id];
  if (!compute) throw new XzError(`its integrity check is of an unknown kind (${id})`);
  if (Buffer.compare(compute(bytes), expected) !== 0)
    throw new XzError("the data do not agree with their checksum");
}

const CHECKS: Readonly<Record<number, (bytes: Uint8Array) => Uint8Array>> = {
  0: () => new Uint8Array(0),
  1: (bytes) => littleEndian(Bun.hash.crc32(bytes)),
  4: crc64,
  10: (bytes) => new Bun.CryptoHasher("sha256").update(bytes).digest(),
};

function littleEndian(...words: number[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4 * words.length));
  for (const [at, word] of words.entries()) bytes.setUint32(4 * at, word, true);
  return new Uint8Array(bytes.buffer);
}

// As two halves of 32 bits: JavaScript's 64-bit integers are objects, and far too slow for it.
function crc64(bytes: Uint8Array): Uint8Array {
  const low = new Uint32Array(256);
  const high = new Uint32Array(256);
  for (let index = 0; index < 256; index++) {
    let l = index;
    let h = 0;
    for (let bit = 0; bit < 8; bit++) {
      const odd = l & 1;
      l = (l >>> 1) | (h << 31);
      h >>>= 1;
      if (odd) {
        l ^= 0xd7870f42;
        h ^= 0xc96c5795;
      }
    }
    low[index] = l;
    high[index] = h;
  }
  let l = -1;
  let h = -1;
  for (const byte of bytes) {
    const index = (l ^ byte) & 0xff;
    l = ((l >>> 8) | (h << 24)) ^ (low[index] ?? 0);
    h = (h >>> 8) ^ (high[index] ?? 0);
  }
  return littleEndian(~l >>> 0, ~h >>> 0);
}
