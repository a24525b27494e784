/** LZO in the frame of the program lzop, which unpacks it. Its blocks say how long they are. */

import { CUT_SHORT, type Unpacked } from "./decoder.ts";
import { unpackByProgram } from "./program.ts";

export function unlzopFile(image: Uint8Array, start: number): Unpacked {
  const end = findEnd(image, start);
  const isCut = end > image.length;
  const packed = image.subarray(start, Math.min(end, image.length));
  const { data, fault } = unpackByProgram("lzo", "lzop", packed);
  if (isCut) return { data, end: image.length, fault: CUT_SHORT };
  return fault === undefined ? { data, end } : { data, end: image.length, fault };
}

const MAGIC = 9;
const FLAGS = {
  adlerOfData: 0x1,
  adlerOfPacked: 0x2,
  extra: 0x40,
  crcOfData: 0x100,
  crcOfPacked: 0x200,
  filter: 0x800,
} as const;
/** Since this version the header has a level and more bits of the time. */
const VERSION_0_940 = 0x940;

// As lzop.c reads and writes it; beyond the end of the image when the file is cut short.
function findEnd(image: Uint8Array, start: number): number {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const word = (at: number) => (at + 4 <= view.byteLength ? view.getUint32(at, false) : 0);
  const isNew = start + MAGIC + 2 <= view.byteLength && view.getUint16(start + MAGIC, false) >= VERSION_0_940;
  // Versions and method.
  let at = start + MAGIC + (isNew ? 8 : 5);
  const flags = word(at);
  const has = (flag: keyof typeof FLAGS) => (flags & FLAGS[flag] ? 4 : 0);
  // Flags, filter, mode and time; then a name and the header's checksum.
  at += 4 + has("filter") + (isNew ? 12 : 8);
  at += 1 + (image[at] ?? 0) + 4;
  if (has("extra") > 0) at += 4 + word(at) + 4;

  for (;;) {
    if (at + 4 > image.length) return image.length + 1;
    const size = word(at);
    if (size === 0) return at + 4;
    const packed = word(at + 4);
    const checks = has("adlerOfData") + has("crcOfData");
    const checksOfPacked = packed < size ? has("adlerOfPacked") + has("crcOfPacked") : 0;
    at += 8 + checks + checksOfPacked + packed;
  }
}
