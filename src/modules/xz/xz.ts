/**
 * A decoder for the .xz format (version 1.1.0), as far as kernel modules and firmware use it: LZMA2,
 * alone or behind the x86 filter; any number of blocks and streams.
 *
 * The index at the end of a stream says how large its blocks are, so all of the result is reserved
 * at once, and what was decoded is its own dictionary.
 */

import { checkSize, verifyCheck } from "./checks.ts";
import { XzError } from "./error.ts";
import { decodeLzma2, dictionarySize } from "./lzma2.ts";
import { undoX86 } from "./x86.ts";

/** The data of a whole .xz file. Throws XzError when it is damaged, or made in a way that is not known here. */
export function unxz(file: Uint8Array): Uint8Array {
  const streams: Stream[] = [];
  // From the end on, as only there a stream tells where it began.
  for (let end = beforePadding(file, file.length); end > 0;) {
    const stream = readStream(file, end);
    streams.unshift(stream);
    end = beforePadding(file, stream.start);
  }
  if (streams.length === 0) throw new XzError("it is empty");
  const total = streams.flatMap(({ blocks }) => blocks).reduce((sum, { size }) => sum + size, 0);
  if (total > LARGEST) throw new XzError(`it holds more than ${LARGEST / 2 ** 30} GiB`);
  const out = new Uint8Array(total);
  let to = 0;
  for (const { blocks, check } of streams)
    for (const block of blocks) {
      decodeBlock(file, block, check, out.subarray(to, to + block.size));
      to += block.size;
    }
  return out;
}

interface Block {
  readonly start: number;
  /** Without the padding to a multiple of four. */
  readonly packed: number;
  readonly size: number;
}

interface Stream {
  readonly start: number;
  readonly check: number;
  readonly blocks: readonly Block[];
}

const LARGEST = 2 ** 30;
const HEADER = 12;
const FILTER_X86 = 0x04;
const FILTER_LZMA2 = 0x21;

// Between streams, and behind the last, there may be zeros, four at a time.
function beforePadding(file: Uint8Array, end: number): number {
  let at = end;
  while (at > 0 && isZero(file, at - 4, at)) at -= 4;
  return at;
}

function readStream(file: Uint8Array, end: number): Stream {
  if (end < 2 * HEADER) throw new XzError("it is too short");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const footer = end - HEADER;
  if (view.getUint16(end - 2, true) !== 0x5a59) throw new XzError("its end is missing");
  verifyCrc(file, footer + 4, end - 2, view.getUint32(footer, true));
  const check = view.getUint16(footer + 8, false);
  if (check > 15) throw new XzError("it is of a later version of the format");

  const indexStart = footer - 4 * (view.getUint32(footer + 4, true) + 1);
  if (indexStart < HEADER) throw new XzError("its index is longer than itself");
  const lengths = readIndex(file, indexStart, footer);
  const packedTotal = lengths.reduce((sum, { packed }) => sum + roundUp4(packed), 0);
  const start = indexStart - packedTotal - HEADER;
  if (start < 0) throw new XzError("its blocks are longer than itself");
  const magic = Buffer.from(file.subarray(start, start + 6)).toString("latin1");
  if (magic !== "\xfd7zXZ\0" || view.getUint16(start + 6, false) !== check)
    throw new XzError("its start and its end do not agree");
  verifyCrc(file, start + 6, start + 8, view.getUint32(start + 8, true));

  let at = start + HEADER;
  const blocks = lengths.map(({ packed, size }) => {
    const block = { start: at, packed, size };
    at += roundUp4(packed);
    return block;
  });
  return { start, check, blocks };
}

function readIndex(file: Uint8Array, start: number, end: number): { packed: number; size: number }[] {
  const input = new Integers(file, start, end - 4);
  if (input.byte() !== 0) throw new XzError("its index is damaged");
  verifyCrc(file, start, end - 4, new DataView(file.buffer, file.byteOffset).getUint32(end - 4, true));
  const count = input.next();
  // Each record takes at least two bytes.
  if (count * 2 > end - start) throw new XzError("its index is damaged");
  return Array.from({ length: count }, () => ({ packed: input.next(), size: input.next() }));
}

/**
 * What the header of the block at `start` says: where its data begin, how large the dictionary is, and whether what was
 * decoded must go through the x86 filter. Throws XzError.
 */
export function readBlockHeader(file: Uint8Array, start: number): BlockHeader {
  const size = ((file[start] ?? 0) + 1) * 4;
  const end = start + size;
  if (size < 8 || end > file.length) throw new XzError("a block is too short");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  verifyCrc(file, start, end - 4, view.getUint32(end - 4, true));
  return { end, ...readFilters(new Integers(file, start + 1, end - 4)) };
}

interface BlockHeader {
  readonly end: number;
  readonly dictionary: number;
  readonly x86: boolean;
}

function decodeBlock(file: Uint8Array, block: Block, check: number, out: Uint8Array): void {
  const { end: headerEnd, dictionary, x86 } = readBlockHeader(file, block.start);
  const dataEnd = block.start + block.packed - checkSize(check);
  if (headerEnd > dataEnd) throw new XzError("a block is too short");

  const data = file.subarray(0, dataEnd);
  const end = decodeLzma2(data, headerEnd, out, { from: 0, to: out.length, dictionary });
  if (end !== dataEnd) throw new XzError("a block is longer than its data");
  if (x86) undoX86(out);
  // The padding comes before the check.
  const checkEnd = block.start + roundUp4(block.packed);
  if (!isZero(file, dataEnd, checkEnd - checkSize(check))) throw new XzError("a block's padding is damaged");
  verifyCheck(check, out, file.subarray(checkEnd - checkSize(check), checkEnd));
}

function readFilters(header: Integers): { dictionary: number; x86: boolean } {
  const flags = header.byte();
  if (flags & 0x3c) throw new XzError("a block is of a later version of the format");
  // Both sizes are in the index too, and more surely.
  if (flags & 0x40) header.next();
  if (flags & 0x80) header.next();
  const filters = Array.from({ length: (flags & 3) + 1 }, () => {
    const id = header.next();
    return { id, properties: header.bytes(header.next()) };
  });
  const [last, before, ...others] = filters.toReversed();
  const property = last?.properties[0];
  const known =
    !before || (before.id === FILTER_X86 && isZero(before.properties, 0, before.properties.length));
  if (last?.id !== FILTER_LZMA2 || property === undefined || !known || others.length > 0)
    throw new XzError("it was made with filters other than LZMA2 and x86");
  return { dictionary: dictionarySize(property), x86: before !== undefined };
}

/** The bytes and the integers of variable length (section 1.2) within a part of the file. */
class Integers {
  private readonly file: Uint8Array;
  private readonly end: number;
  private at: number;

  constructor(file: Uint8Array, start: number, end: number) {
    this.file = file;
    this.at = start;
    this.end = end;
  }

  byte(): number {
    const byte = this.at < this.end ? this.file[this.at++] : undefined;
    if (byte === undefined) throw new XzError("a header ends too early");
    return byte;
  }

  next(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (value > Number.MAX_SAFE_INTEGER) throw new XzError("a number in it is too large");
      if (byte < 0x80) return value;
    }
  }

  bytes(count: number): Uint8Array {
    if (count > this.end - this.at) throw new XzError("a header ends too early");
    this.at += count;
    return this.file.subarray(this.at - count, this.at);
  }
}

function verifyCrc(file: Uint8Array, start: number, end: number, expected: number): void {
  if (Bun.hash.crc32(file.subarray(start, end)) !== expected) throw new XzError("a header of it is damaged");
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  if (start < 0) return false;
  for (let at = start; at < end; at++) if (bytes[at] !== 0) return false;
  return true;
}

function roundUp4(size: number): number {
  return size + (-size & 3);
}
