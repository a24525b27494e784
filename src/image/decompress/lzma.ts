/** LZMA by itself, in the format of the old program lzma (lzma-file-format.txt of XZ Utils). */

import { XzError } from "../../modules/xz/error.ts";
import { Lzma } from "../../modules/xz/lzma.ts";
import { RangeDecoder } from "../../modules/xz/range-decoder.ts";
import { CUT_SHORT, LARGEST, TOO_LARGE, type Unpacked } from "./decoder.ts";

export function unlzma(image: Uint8Array, start: number): Unpacked {
  const none = { data: new Uint8Array(0), end: image.length };
  if (start + HEADER > image.length) return { ...none, fault: CUT_SHORT };
  const size = new DataView(image.buffer, image.byteOffset + start, HEADER).getBigUint64(5, true);
  if (size !== UNKNOWN)
    return size > LARGEST ? { ...none, fault: TOO_LARGE } : decode(image, start, Number(size), size);
  // Most files do not say how much they hold. Few hold more than this, and those are decoded again.
  for (let room = USUAL_RATIO * (image.length - start); room < LARGEST; room *= USUAL_RATIO) {
    const found = decode(image, start, room, size);
    if (room - found.data.length >= LONGEST_COPY) return found;
  }
  const found = decode(image, start, LARGEST, size);
  return LARGEST - found.data.length >= LONGEST_COPY ? found : { ...none, fault: TOO_LARGE };
}

const HEADER = 13;
const UNKNOWN = 2n ** 64n - 1n;
const LEAST_DICTIONARY = 4096;
const USUAL_RATIO = 16;
const LONGEST_COPY = 273;

// What fits into `room` bytes.
function decode(image: Uint8Array, start: number, room: number, size: bigint): Unpacked {
  const view = new DataView(image.buffer, image.byteOffset + start, HEADER);
  const out = new Uint8Array(room);
  const lzma = new Lzma(out, 0, Math.max(view.getUint32(1, true), LEAST_DICTIONARY));
  const written = () => out.subarray(0, lzma.written);
  try {
    lzma.resetProperties(view.getUint8(0));
    const input = new RangeDecoder(image, start + HEADER, image.length);
    const isMarked = lzma.decode(input, room);
    const isWhole = size === UNKNOWN ? isMarked : lzma.written === Number(size);
    if (isWhole) return { data: written(), end: input.behind() };
  } catch (error) {
    if (!(error instanceof XzError)) throw error;
  }
  // Without a checksum, most damage shows only when the data run out.
  return { data: written(), end: image.length, fault: "they are damaged or cut short" };
}
