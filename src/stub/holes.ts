/** Long stretches of zeros in a program, which need not lie in its file: the kernel gives pages of zeros there. */

import { PAGE, type Segment } from "./segments.ts";

/**
 * The segment in pieces that end where a stretch of zeros of at least HOLE pages ends, which no piece has in its file. Each
 * piece but the first begins at a page, and all together cover the same addresses with the same bytes.
 * @param program the file that the segment's offset is in
 */
export function withoutHoles(program: Uint8Array, segment: Segment): Segment[] {
  const lead = Number(segment.offset % BigInt(PAGE));
  const fileEnd = Number(segment.fileSize) + lead;
  const bytes = program.subarray(Number(segment.offset) - lead, Number(segment.offset) - lead + fileEnd);
  const pieces: Segment[] = [];
  const cut = (from: number, filled: number, to: number): void => {
    const start = BigInt(from === 0 ? 0 : from - lead);
    pieces.push({
      ...segment,
      offset: segment.offset + start,
      address: segment.address + start,
      fileSize: BigInt(filled - lead) - start,
      memorySize: BigInt(to - lead) - start,
    });
  };
  let from = 0;
  for (const hole of holesIn(bytes)) {
    cut(from, hole.start, hole.end);
    from = hole.end;
  }
  cut(from, fileEnd, Number(segment.memorySize) + lead);
  return pieces;
}

/** Of whole pages, in order, none at the start or the end of the bytes. */
function holesIn(bytes: Uint8Array): { readonly start: number; readonly end: number }[] {
  const holes: { start: number; end: number }[] = [];
  const isZero = (page: number): boolean => {
    const words = Buffer.from(bytes.buffer, bytes.byteOffset + page * PAGE, PAGE);
    return words.equals(ZEROS);
  };
  const pages = Math.floor(bytes.length / PAGE);
  for (let page = 1; page < pages; page++) {
    const start = page;
    while (page < pages && isZero(page)) page++;
    if (page - start >= HOLE && page * PAGE < bytes.length)
      holes.push({ start: start * PAGE, end: page * PAGE });
  }
  return holes;
}

/** A piece more is a mapping more at each exec(2); fewer pages than these are sooner copied and freed. */
const HOLE = 32;

const ZEROS = Buffer.alloc(PAGE);
