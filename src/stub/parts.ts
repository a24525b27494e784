/** The parts of a compiled program that the packed form treats each in its way. */

import { withoutLanguages } from "./icu.ts";
import { coldStretches } from "./script.ts";
import { PAGE, PF_W, PF_X, type Segment, loadSegments, pageUp, sectionAddress } from "./segments.ts";

/** A read-only segment of the program, or its script, as page-aligned addresses. */
export interface Region {
  readonly start: number;
  readonly end: number;
  /** PROT_READ, PROT_WRITE and PROT_EXEC of mmap(2). */
  readonly protection: number;
}

export type Filled = Region & {
  readonly bytes: Uint8Array;
  /** Pages that lie open whether or not the list has them. */
  readonly open?: ReadonlySet<number>;
};

/** The parts of a program: what is packed, and what is left for the kernel to map. */
export interface Parts {
  readonly readOnly: readonly Filled[];
  readonly script: readonly Filled[];
  readonly segments: readonly Segment[];
}

/** The parts of the program that are packed, as the kernel would map them: whole pages. */
export function regionsOf(program: Uint8Array): Parts {
  const readOnly: Filled[] = [];
  const script: Filled[] = [];
  const segments: Segment[] = [];
  const scriptAt = sectionAddress(program, ".bun");
  for (const s of loadSegments(program, "the compiled program")) {
    const end = s.address + s.fileSize;
    if ((s.flags & PF_W) === 0) {
      readOnly.push(region(program, s, s.address, s.flags & PF_X ? PROT_READ | PROT_EXEC : PROT_READ));
    } else if (
      scriptAt === undefined ||
      scriptAt < s.address ||
      scriptAt >= end ||
      scriptAt % BigInt(PAGE) !== 0n
    ) {
      segments.push(s);
    } else {
      const before = program.subarray(Number(s.offset), Number(s.offset + scriptAt - s.address));
      const fileSize = BigInt(before.findLastIndex((byte) => byte !== 0) + 1);
      segments.push({ ...s, fileSize, memorySize: BigInt(before.length) });
      script.push(region(program, s, scriptAt, PROT_READ | PROT_WRITE));
    }
  }
  return { readOnly, script, segments };
}

/** A segment from an address on, with whatever the file has around it in its first and last page. */
function region(program: Uint8Array, s: Segment, address: bigint, protection: number): Filled {
  const lead = Number(address % BigInt(PAGE));
  const start = Number(address) - lead;
  const size = pageUp(Number(s.address + s.fileSize) - start);
  const bytes = new Uint8Array(size);
  const from = Number(s.offset + address - s.address) - lead;
  bytes.set(program.subarray(from, from + size));
  return { start, end: start + size, protection, bytes };
}

/** Without what no image needs, and with the pages of the script that process 1 runs. */
export function partsForImage(program: Uint8Array): Parts {
  const { readOnly, script, segments } = regionsOf(program);
  return {
    readOnly: readOnly.map((part) =>
      part.protection === PROT_READ ? { ...part, bytes: withoutLanguages(part.bytes) } : part,
    ),
    script: script.map((part) => ({ ...part, open: warmPages(part) })),
    segments,
  };
}

/** Numbers of the pages that coldStretches() does not cover as a whole. */
function warmPages({ start, end, bytes }: Filled): Set<number> {
  const isWarm = new Uint8Array(bytes.length).fill(1);
  for (const cold of coldStretches(bytes)) isWarm.fill(0, cold.start, cold.end);
  const pages = new Set<number>();
  for (let at = 0; at < end - start; at += PAGE)
    if (isWarm.subarray(at, at + PAGE).includes(1)) pages.add((start + at) / PAGE);
  return pages;
}

/** mmap(2), asm-generic/mman-common.h */
const PROT_READ = 1;
const PROT_WRITE = 2;
export const PROT_EXEC = 4;
