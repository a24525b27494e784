/** bzip2, by the program of that name. The format aligns its parts to bits, and says nowhere how long it is. */

import { CUT_SHORT, type Unpacked } from "./decoder.ts";
import { unpackByProgram } from "./program.ts";

export function bunzip2Stream(image: Uint8Array, start: number): Unpacked {
  const end = findEnd(image, start);
  const { data, fault } = unpackByProgram("bzip2", "bzip2", image.subarray(start, end));
  if (end === undefined) return { data, end: image.length, fault: CUT_SHORT };
  return fault === undefined ? { data, end } : { data, end: image.length, fault };
}

/** The bits of pi's square root, of which chance would bring a second one once in 35 TB. */
const END_MARK = 0x177245385090n;
const MARK_BITS = 48;
const CRC_BITS = 32;

// Behind the stream at `start`: the end mark, at any bit, and a CRC. Undefined when there is none.
function findEnd(image: Uint8Array, start: number): number | undefined {
  const ends = Array.from({ length: 8 }, (_, shift) => findShifted(image, start, shift));
  const known = ends.filter((end) => end !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

// The same where the mark begins `shift` bits into a byte.
function findShifted(image: Uint8Array, start: number, shift: number): number | undefined {
  const bytes = Math.ceil((MARK_BITS + shift) / 8);
  const spare = 8 * bytes - MARK_BITS - shift;
  const value = END_MARK << BigInt(spare);
  const mask = ((1n << BigInt(MARK_BITS)) - 1n) << BigInt(spare);
  const hex = (number: bigint) => number.toString(16).padStart(2 * bytes, "0");
  const [wanted, asked] = [Buffer.from(hex(value), "hex"), Buffer.from(hex(mask), "hex")];
  // All but the first and the last byte are the mark's alone, and can be looked for quickly.
  const inner = wanted.subarray(1, bytes - 1);
  const whole = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  for (let at = whole.indexOf(inner, start + 1); at >= 0; at = whole.indexOf(inner, at + 1)) {
    const isMark = wanted.every(
      (byte, index) => ((whole[at - 1 + index] ?? 0) & (asked[index] ?? 0)) === byte,
    );
    const end = at - 1 + Math.ceil((shift + MARK_BITS + CRC_BITS) / 8);
    if (isMark && end <= whole.length) return end;
  }
  return undefined;
}
