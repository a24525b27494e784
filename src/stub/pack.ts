/**
 * The packed form of the program, for images (see pages.c): the pages that a boot needs lie open, all
 * others are compressed in windows of 128 KiB, machine code after a filter (bcj.c). The zeros in front of the
 * script, which Bun writes where it appends that, do not lie in the file at all.
 *
 * Which pages a boot needs was recorded from real boots (qemu/record.ts) and stands in hot-pages.txt. The
 * list belongs to one build of Bun; for another one the program is left as it is.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Window, WINDOW, compressAll } from "./compress.ts";
import { type Parts, PROT_EXEC, type Region, partsForImage, regionsOf } from "./parts.ts";
import { PAGE, type Segment } from "./segments.ts";

/** Everything that link.ts puts into the file for the packed form. */
export interface Packed {
  /** What is left of the program's segments for the kernel to map: those that are written to. */
  readonly segments: readonly Segment[];
  readonly regions: readonly Region[];
  /** Stretches of open pages, and their bytes in the same order. */
  readonly runs: readonly { readonly address: number; readonly size: number }[];
  readonly openPages: readonly Uint8Array[];
  /** The windows of all regions in order: raw LZMA1, or as they are where that is no shorter. */
  readonly windows: readonly Uint8Array[];
  /** The stub reports each first touch of a page. */
  readonly recording: boolean;
}

/** The recorded list: pages by number (address / 4096), and the build of the program that they belong to. */
export interface HotPages {
  readonly program: string;
  readonly pages: ReadonlySet<number>;
}

/**
 * Packs the program with the pages of hot-pages.txt open. Undefined when the list belongs to another
 * program, which is said on standard error.
 * @throws UserError when xz is missing
 */
export async function packForImage(program: Uint8Array): Promise<Packed | undefined> {
  const list = parseHotPages(readFileSync(listFile, "utf8"));
  if (list.program !== fingerprint(program)) {
    process.stderr.write(
      "link: hot-pages.txt belongs to another build of Bun, so /init is not packed. See qemu/record.ts.\n",
    );
    return undefined;
  }
  const { windows, ...open } = splitProgram(partsForImage(program), closeGaps(list.pages));
  return { ...open, windows: await compressAll(windows), recording: false };
}

/** The form that hot-pages.txt is recorded with: nothing lies open, and nothing is compressed. */
export function packForRecording(program: Uint8Array): Packed {
  const { windows, ...open } = splitProgram(regionsOf(program), new Set());
  return { ...open, windows: windows.map(({ bytes }) => bytes), recording: true };
}

/** Identifies the code of a program: the same for all that one Bun compiles. */
export function fingerprint(program: Uint8Array): string {
  const hash = createHash("sha256");
  // The first page holds the program headers, which depend on the size of the script.
  for (const { bytes } of regionsOf(program).readOnly) hash.update(bytes.subarray(PAGE));
  return hash.digest("hex").slice(0, 16);
}

/** Reads hot-pages.txt: `program FINGERPRINT`, then hexadecimal page numbers or FIRST-LAST, # for comments. */
export function parseHotPages(list: string): HotPages {
  let program = "";
  const pages = new Set<number>();
  for (const line of list.split("\n")) {
    const named = /^program ([0-9a-f]+)$/.exec(line);
    if (named !== null) program = named[1] ?? "";
    const range = /^([0-9a-f]+)(?:-([0-9a-f]+))?$/.exec(line);
    if (range === null) continue;
    const first = parseInt(range[1] ?? "", 16);
    for (let page = first; page <= parseInt(range[2] ?? range[1] ?? "", 16); page++) pages.add(page);
  }
  return { program, pages };
}

/** Writes what `parseHotPages` reads. */
export function formatHotPages({ program, pages }: HotPages): string {
  const lines = [`program ${program}`];
  const sorted = [...pages].sort((a, b) => a - b);
  for (let i = 0; i < sorted.length;) {
    const first = sorted[i] ?? 0;
    let last = first;
    while (sorted[++i] === last + 1) last++;
    lines.push(first === last ? first.toString(16) : `${first.toString(16)}-${last.toString(16)}`);
  }
  return `${lines.join("\n")}\n`;
}

/**
 * Opens the pages between hot ones that are this close, too: each stretch costs a mapping, and what lies
 * between is likely to be touched on another day.
 */
const gap_pages = 4;

function closeGaps(pages: ReadonlySet<number>): Set<number> {
  const closed = new Set(pages);
  for (const page of pages) {
    const next = Array.from({ length: gap_pages }, (_, i) => page + i + 2).find((other) => pages.has(other));
    if (next !== undefined) for (let between = page + 1; between < next; between++) closed.add(between);
  }
  return closed;
}

const listFile = join(import.meta.dir, "hot-pages.txt");

function splitProgram(
  { readOnly, script, segments }: Parts,
  hot: ReadonlySet<number>,
): Omit<Packed, "recording" | "windows"> & { readonly windows: readonly Window[] } {
  const runs: { address: number; size: number }[] = [];
  const openPages: Uint8Array[] = [];
  const windows: Window[] = [];
  const regions = [...readOnly, ...script];
  for (const { start, end, protection, bytes, open } of regions) {
    const rest = bytes.slice();
    for (let at = 0; at < bytes.length; at += PAGE) {
      const address = start + at;
      if (!hot.has(address / PAGE) && open?.has(address / PAGE) !== true) continue;
      openPages.push(bytes.subarray(at, at + PAGE));
      const last = runs.at(-1);
      if (last !== undefined && last.address + last.size === address && address !== start) last.size += PAGE;
      else runs.push({ address, size: PAGE });
      rest.fill(0, at, at + PAGE);
    }
    const isCode = (protection & PROT_EXEC) !== 0;
    for (let at = 0; at < end - start; at += WINDOW)
      windows.push({ bytes: rest.subarray(at, Math.min(at + WINDOW, rest.length)), isCode });
  }
  return {
    segments,
    regions: regions.map(({ start, end, protection }) => ({ start, end, protection })),
    runs,
    openPages,
    windows,
  };
}
