/**
 * LZ4 in its legacy frame, as `lz4 -l` makes it and as the kernel's lib/decompress_unlz4.c takes it: chunks that hold up
 * to 8 MiB each, one behind the other until four zeros or the end of the image. Nothing else can follow directly.
 */

import { View } from "../../lib/bytes.ts";
import { CUT_SHORT, LARGEST, TOO_LARGE, type Unpacked } from "./decoder.ts";

export function unlz4Legacy(image: Uint8Array, start: number): Unpacked {
  if (!new View(image).has(start, MAGIC))
    return { data: new Uint8Array(0), end: image.length, fault: "their header is damaged" };
  const { chunks, end } = walkChunks(image, start);
  const most = chunks.map(({ from, until }) => Math.min(MOST_RATIO * (until - from), CHUNK));
  const total = most.reduce((sum, size) => sum + size, 0);
  const out = new Uint8Array(Math.min(total, LARGEST));
  let to = 0;
  for (const { from, until } of chunks) {
    if (until > image.length)
      return { data: out.subarray(0, to), end: image.length, fault: faultOf(image, from) };
    const limit = Math.min(to + CHUNK, out.length);
    const block = decodeBlock(image.subarray(from, until), out, to, limit);
    if (!block.isWhole) {
      const fault = limit === out.length && block.to === limit ? TOO_LARGE : "they are damaged";
      return { data: out.subarray(0, block.to), end: image.length, fault };
    }
    to = block.to;
  }
  return { data: out.subarray(0, to), end };
}

const MAGIC = "\x02\x21\x4c\x18";
const CHUNK = 8 * 1024 * 1024;
/** No byte stands for more. */
const MOST_RATIO = 255;

interface Chunk {
  readonly from: number;
  readonly until: number;
}

function walkChunks(image: Uint8Array, start: number): { chunks: Chunk[]; end: number } {
  const view = new View(image);
  const chunks: Chunk[] = [];
  let at = start;
  while (at + 4 <= image.length) {
    const isMagic = view.has(at, MAGIC);
    const size = view.u32(at);
    if (size === 0) break;
    at += 4;
    // There may be further streams.
    if (isMagic) continue;
    chunks.push({ from: at, until: at + size });
    at += size;
  }
  return { chunks, end: at };
}

// A chunk that reaches beyond the end may be none.
function faultOf(image: Uint8Array, from: number): string {
  const isText = image.subarray(from - 4, from).every((byte) => byte >= 0x20 && byte < 0x7f);
  return isText ? "something follows them without the four zeros that end them" : CUT_SHORT;
}

/**
 * Unpacks a block (lz4_Block_format.md) to out[to, limit). The result says how far it came; it is whole when that is all
 * of it.
 */
function decodeBlock(
  block: Uint8Array,
  out: Uint8Array,
  start: number,
  limit: number,
): { to: number; isWhole: boolean } {
  const end = block.length;
  let at = 0;
  let to = start;
  while (at < end) {
    const token = block[at++] ?? 0;
    let literals = token >>> 4;
    if (literals === 15) {
      let more = 255;
      for (; more === 255 && at < end; at++) {
        more = block[at] ?? 0;
        literals += more;
      }
    }
    if (literals > end - at || literals > limit - to) return { to, isWhole: false };
    if (literals > 32) out.set(block.subarray(at, at + literals), to);
    else for (let index = 0; index < literals; index++) out[to + index] = block[at + index] ?? 0;
    at += literals;
    to += literals;
    // The last sequence has literals only.
    if (at === end) return { to, isWhole: true };

    const distance = (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8);
    at += 2;
    let count = (token & 15) + 4;
    if (count === 19) {
      let more = 255;
      for (; more === 255 && at < end; at++) {
        more = block[at] ?? 0;
        count += more;
      }
    }
    if (at >= end || distance === 0 || distance > to - start || count > limit - to)
      return { to, isWhole: false };
    if (count > 64 && distance >= count) out.copyWithin(to, to - distance, to - distance + count);
    else for (let index = 0; index < count; index++) out[to + index] = out[to + index - distance] ?? 0;
    to += count;
  }
  return { to, isWhole: false };
}
