/** xz: one stream, which is what the kernel unpacks at once. */

import { checkSize } from "../../modules/xz/checks.ts";
import { XzError } from "../../modules/xz/error.ts";
import { decodeLzma2 } from "../../modules/xz/lzma2.ts";
import { undoX86 } from "../../modules/xz/x86.ts";
import { readBlockHeader, unxz } from "../../modules/xz/xz.ts";
import { CUT_SHORT, LARGEST, type Unpacked } from "./decoder.ts";

export function unxzStream(image: Uint8Array, start: number): Unpacked {
  const { blocks, end } = walkStream(image, start);
  const isCut = end > image.length;
  try {
    if (!isCut) return { data: unxz(image.subarray(start, end)), end };
  } catch (error) {
    if (!(error instanceof XzError)) throw error;
    return { data: salvageBlocks(image, blocks), end: image.length, fault: error.message };
  }
  return { data: salvageBlocks(image, blocks), end: image.length, fault: CUT_SHORT };
}

interface Block {
  readonly start: number;
  /** What its chunks say, as far as they are there. */
  readonly size: number;
}

const HEADER = 12;
const FOOTER = 12;
const CRC = 4;

// The blocks of the stream at `start` and where it ends, which is beyond the end of the image when it is cut short. From
// the front: only who knows where it ends can begin there, as unxz does.
function walkStream(image: Uint8Array, start: number): { blocks: Block[]; end: number } {
  const check = (image[start + 7] ?? 0) & 15;
  const records: number[] = [];
  const blocks: Block[] = [];
  let at = start + HEADER;
  while (at < image.length && image[at] !== 0) {
    const chunks = walkChunks(image, at + 4 * ((image[at] ?? 0) + 1));
    blocks.push({ start: at, size: chunks.size });
    records.push(chunks.end - at + checkSize(check), chunks.size);
    at = start + roundUp4(chunks.end - start) + checkSize(check);
  }
  if (at >= image.length) return { blocks, end: image.length + 1 };
  const index = [blocks.length, ...records].map(integerSize).reduce((sum, size) => sum + size, 1);
  return { blocks, end: at + roundUp4(index) + CRC + FOOTER };
}

// How much the LZMA2 chunks from `start` on hold, and where they end, behind the image when they are cut short.
function walkChunks(image: Uint8Array, start: number): { size: number; end: number } {
  const word = (at: number) => ((image[at] ?? 0) << 8) + (image[at + 1] ?? 0) + 1;
  let size = 0;
  for (let at = start; ;) {
    const control = image[at];
    if (control === undefined) return { size, end: image.length };
    if (control === 0) return { size, end: at + 1 };
    const isPacked = control >= 0x80;
    const end = isPacked ? at + 5 + (control >= 0xc0 ? 1 : 0) + word(at + 3) : at + 3 + word(at + 1);
    if (end > image.length) return { size, end: image.length };
    size += word(at + 1) + (isPacked ? (control & 0x1f) << 16 : 0);
    at = end;
  }
}

// What can be decoded of the blocks up to where they are damaged.
function salvageBlocks(image: Uint8Array, blocks: readonly Block[]): Uint8Array {
  const total = blocks.reduce((sum, { size }) => sum + size, 0);
  const out = new Uint8Array(Math.min(total, LARGEST));
  let to = 0;
  const reached = (written: number) => {
    to = written;
  };
  try {
    for (const { start, size } of blocks) {
      const { end, dictionary, x86 } = readBlockHeader(image, start);
      const from = to;
      try {
        decodeLzma2(image, end, out, { from, to: Math.min(from + size, out.length), dictionary, reached });
      } finally {
        if (x86) undoX86(out.subarray(from, to));
      }
    }
  } catch (error) {
    if (!(error instanceof XzError)) throw error;
  }
  return out.subarray(0, to);
}

// Bytes of an integer of variable length (section 1.2 of the format).
function integerSize(value: number): number {
  return value < 0x80 ? 1 : 1 + integerSize(Math.floor(value / 0x80));
}

function roundUp4(size: number): number {
  return size + (-size & 3);
}
