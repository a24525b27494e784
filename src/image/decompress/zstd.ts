/** Zstandard (RFC 8878): one frame, which is what the kernel unpacks at once. */

import { constants, zstdDecompressSync } from "node:zlib";
import { CUT_SHORT, DecodeError, LARGEST, salvage, TOO_LARGE, type Unpacked } from "./decoder.ts";
import { decodeByZlib } from "./zlib.ts";

export function unzstdFrame(image: Uint8Array, start: number): Unpacked {
  const { end, blocks, least } = walkFrame(image, start);
  if (least > LARGEST) return { data: new Uint8Array(0), end: image.length, fault: TOO_LARGE };
  const frame = image.subarray(start, Math.min(end, image.length));
  const unpack = (length: number) =>
    decodeByZlib(zstdDecompressSync, frame.subarray(0, length), {
      whenCut: constants.ZSTD_e_continue,
      expected: blocks * LARGEST_BLOCK,
    }).data;
  try {
    const data = unpack(frame.length);
    return end > image.length ? { data, end: image.length, fault: CUT_SHORT } : { data, end };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const fault = error.message;
    const data = fault === TOO_LARGE ? new Uint8Array(0) : salvage(frame.length, unpack);
    return { data, end: image.length, fault };
  }
}

const MAGIC = 4;
const LARGEST_BLOCK = 128 * 1024;
const BLOCK_HEADER = 3;
const RLE = 1;
const COMPRESSED = 2;
const DICTIONARY_ID = [0, 1, 2, 4] as const;
const CONTENT_SIZE = [0, 2, 4, 8] as const;

interface Frame {
  /** Beyond the end of the image when it is cut short. */
  readonly end: number;
  readonly blocks: number;
  /** How much those blocks hold that say so. */
  readonly least: number;
}

function walkFrame(image: Uint8Array, start: number): Frame {
  const byte = (at: number) => image[at] ?? 0;
  const descriptor = byte(start + MAGIC);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSize = CONTENT_SIZE[(descriptor >>> 6) as 0 | 1 | 2 | 3] || (isSingleSegment ? 1 : 0);
  const dictionaryId = DICTIONARY_ID[(descriptor & 3) as 0 | 1 | 2 | 3];
  const checksum = descriptor & 4 ? 4 : 0;

  let at = start + MAGIC + 1 + (isSingleSegment ? 0 : 1) + dictionaryId + contentSize;
  let least = 0;
  for (let blocks = 1; ; blocks++) {
    if (at + BLOCK_HEADER > image.length) return { end: image.length + 1, blocks, least };
    const header = byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16);
    const [type, size] = [(header >>> 1) & 3, header >>> 3];
    if (type < COMPRESSED) least += size;
    at += BLOCK_HEADER + (type === RLE ? 1 : size);
    if (header & 1) return { end: at + checksum, blocks, least };
  }
}
