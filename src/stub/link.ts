/**
 * Makes one static ELF file of a compiled Bun program, the entry stub and the C library.
 *
 *   bun src/stub/link.ts PROGRAM STUB OUTPUT            the plain form
 *   bun src/stub/link.ts PROGRAM STUB OUTPUT --packed   the form for images (pack.ts)
 *
 * The program's segments follow behind a new header, page-aligned, and are mapped at the addresses they
 * were linked for. So its original program headers, which the dynamic loader must see
 * (with PT_INTERP and PT_TLS), are in memory where they always were, and the stub only points to them.
 * Long stretches of zeros are left out (holes.ts), and what the runtime knows of other languages (icu.ts).
 *
 *   offset 0   ELF header, program headers: stub, program, libraries; no PT_INTERP
 *   0x1000     the stub's one segment (entry.c)
 *   ...        ld-linux and the libraries
 *   ...        the program's segments
 *
 * The stub stands in front so that a file that was cut short still says so.
 */

import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import minimist from "minimist";
import { UserError, describe } from "../lib/errors.ts";
import { withoutHoles } from "./holes.ts";
import { withoutLanguages } from "./icu.ts";
import { STUB_MAGIC } from "./identity.ts";
import { type Packed, packForImage, packForRecording } from "./pack.ts";
import { PAGE, PF_R, PF_W, PT_LOAD, type Segment, loadSegments, pageUp, view } from "./segments.ts";

/** SONAMEs that the program needs, the loader first; layout.h reserves as many places. */
export const libraryNames = [
  "ld-linux-x86-64.so.2",
  "libc.so.6",
  "libm.so.6",
  "libdl.so.2",
  "libpthread.so.0",
] as const;

/**
 * The linked file. `libraries` holds the files' contents in the order of `libraryNames`; `packed` holds
 * the read-only segments of the program in the packed form; without it they lie open.
 * Follows the ELF-64 object file format, version 1.5.
 * @throws UserError when the program or the stub is not the kind of ELF file that this can link
 */
export function linkStatic(
  program: Uint8Array,
  stub: Uint8Array,
  libraries: readonly Uint8Array[],
  packed?: Packed,
): Uint8Array {
  const programSegments = loadSegments(program, "the compiled program");
  const [stubSegment, ...more] = loadSegments(stub, "the entry stub");
  const programHeader = view(program);
  if (stubSegment === undefined || more.length > 0 || stubSegment.offset !== 0n)
    throw new UserError(
      "The entry stub must be one segment that begins with its ELF header.",
      "Link it with -z noseparate-code.",
    );
  if (programHeader.getUint16(16, true) !== ET_EXEC)
    throw new UserError("The compiled program is position-independent, which link.ts does not handle.");

  const file = new Layout();
  const stubAt = file.add(stub.subarray(0, Number(stubSegment.fileSize)));
  const highest = programSegments.reduce(
    (top, s) => (s.address + s.memorySize > top ? s.address + s.memorySize : top),
    0n,
  );
  const dataAddress = pageUp(Number(highest)) + PAGE;
  const openPages = packed === undefined ? 0 : file.add(...packed.openPages);

  // What the stub reads by address: one segment from here on.
  const dataAt = file.length;
  const addressOf = (offset: number): bigint => BigInt(dataAddress + offset - dataAt);
  const blobs = libraries.flatMap((library) => [addressOf(file.add(library)), BigInt(library.length)]);
  const packing = packed === undefined ? [] : placePacked(file, packed, openPages, addressOf);
  const dataSize = BigInt(file.length - dataAt);

  const english = withoutLanguages(program);
  const openSegments = packed?.segments ?? programSegments.flatMap((s) => withoutHoles(english, s));
  const placed = openSegments.map((s) => {
    // The bytes in front of the segment in its first page come along, as the kernel maps whole pages.
    const lead = s.offset % BigInt(PAGE);
    const bytes = english.subarray(Number(s.offset - lead), Number(s.offset + s.fileSize));
    return { ...s, offset: BigInt(file.add(bytes)) + lead };
  });

  const out = file.join();
  const size = BigInt(out.length);
  const data = {
    offset: BigInt(dataAt),
    address: BigInt(dataAddress),
    fileSize: dataSize,
    memorySize: dataSize,
  };
  writeHeader(out, view(stub).getBigUint64(24, true), [
    { ...stubSegment, offset: BigInt(stubAt) },
    ...placed,
    { type: PT_LOAD, flags: PF_R, ...data, align: BigInt(PAGE) },
    {
      type: PT_GNU_STACK,
      flags: PF_R | PF_W,
      offset: 0n,
      address: 0n,
      fileSize: 0n,
      memorySize: 0n,
      align: 16n,
    },
  ]);
  fillConfig(out, stubAt, stubSegment, [
    size,
    createHash("sha256").update(program).digest().readBigUInt64LE(),
    programHeader.getBigUint64(24, true),
    headersAddress(programHeader, programSegments),
    BigInt(programHeader.getUint16(56, true)),
    ...blobs,
    ...packing,
  ]);
  return out;
}

/** The pieces of the file, each at a page of its own; the header takes the first page. */
class Layout {
  length = PAGE;
  private readonly pieces: { readonly at: number; readonly bytes: Uint8Array }[] = [];

  /** Adds pieces without a gap between them; returns the offset of the first. */
  add(...pieces: readonly Uint8Array[]): number {
    const start = pageUp(this.length);
    let at = start;
    for (const bytes of pieces) {
      this.pieces.push({ at, bytes });
      at += bytes.length;
    }
    this.length = pageUp(at);
    return start;
  }

  join(): Uint8Array {
    const last = this.pieces.at(-1);
    const out = new Uint8Array(last === undefined ? PAGE : last.at + last.bytes.length);
    for (const { at, bytes } of this.pieces) out.set(bytes, at);
    return out;
  }
}

/** Adds the tables and windows of the packed form; returns the last words of `struct stub_config`. */
function placePacked(
  file: Layout,
  packed: Packed,
  openPages: number,
  addressOf: (offset: number) => bigint,
): bigint[] {
  const windowsAt = file.add(...packed.windows);
  let next = windowsAt;
  const windowWords = packed.windows.flatMap((window) => {
    const at = next;
    next += window.length;
    return [addressOf(at), BigInt(window.length)];
  });
  let offset = openPages;
  const runWords = packed.runs.flatMap(({ address, size }) => {
    const at = offset;
    offset += size;
    return [BigInt(address), BigInt(size), BigInt(at)];
  });
  const windowTable = file.add(packWords(windowWords));
  const runTable = file.add(packWords(runWords));
  const [first, second, third, ...more] = packed.regions;
  if (more.length > 0)
    throw new UserError("The compiled program has more segments than layout.h has places for.");
  return [
    BigInt(packed.regions.length),
    ...[first, second, third].flatMap((r) =>
      r === undefined ? [0n, 0n, 0n] : [BigInt(r.start), BigInt(r.end), BigInt(r.protection)],
    ),
    ...[BigInt(packed.runs.length), addressOf(runTable)],
    ...[BigInt(packed.windows.length), addressOf(windowTable)],
    packed.recording ? 1n : 0n,
  ];
}

function packWords(values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}

const ET_EXEC = 2;
const PT_GNU_STACK = 0x6474e551;

/** Where the program's own headers are once its segments are mapped. */
function headersAddress(header: DataView, segments: readonly Segment[]): bigint {
  const offset = header.getBigUint64(32, true);
  const holder = segments.find((s) => s.offset <= offset && offset < s.offset + s.fileSize);
  if (holder === undefined) throw new UserError("The compiled program does not map its own program headers.");
  return holder.address + offset - holder.offset;
}

function writeHeader(out: Uint8Array, entry: bigint, segments: readonly Segment[]): void {
  const v = view(out);
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  v.setUint16(16, ET_EXEC, true);
  v.setUint16(18, 62, true);
  v.setUint32(20, 1, true);
  v.setBigUint64(24, entry, true);
  v.setBigUint64(32, 64n, true);
  v.setUint16(52, 64, true);
  v.setUint16(54, 56, true);
  v.setUint16(56, segments.length, true);
  v.setUint16(58, 64, true);
  for (const [i, s] of segments.entries()) {
    const at = 64 + i * 56;
    v.setUint32(at, s.type, true);
    v.setUint32(at + 4, s.flags, true);
    v.setBigUint64(at + 8, s.offset, true);
    v.setBigUint64(at + 16, s.address, true);
    v.setBigUint64(at + 24, s.address, true);
    v.setBigUint64(at + 32, s.fileSize, true);
    v.setBigUint64(at + 40, s.memorySize, true);
    v.setBigUint64(at + 48, s.align, true);
  }
}

/** Writes the words of `struct stub_config` (layout.h) behind its magic. */
function fillConfig(out: Uint8Array, stubAt: number, stub: Segment, words: readonly bigint[]): void {
  const at = Buffer.from(out.buffer, stubAt, Number(stub.fileSize)).indexOf(STUB_MAGIC);
  if (at < 0) throw new UserError(`The entry stub does not hold the magic ${STUB_MAGIC}.`);
  const v = new DataView(out.buffer, stubAt + at + STUB_MAGIC.length);
  for (const [i, word] of words.entries()) v.setBigUint64(i * 8, word, true);
}

/** The C compiler knows where this system keeps its libraries. */
function readLibrary(name: string): Uint8Array {
  const found = Bun.spawnSync(["cc", `-print-file-name=${name}`])
    .stdout.toString()
    .trim();
  if (!found.startsWith("/"))
    throw new UserError(
      `The C compiler does not find ${name}.`,
      "Install the C library's development package (Debian: libc6-dev).",
    );
  return readFileSync(found);
}

async function main(argv: readonly string[]): Promise<void> {
  const { _: files, packed, recording } = minimist([...argv], { boolean: ["packed", "recording"] });
  const [program, stub, output] = files;
  if (program === undefined || stub === undefined || output === undefined)
    throw new UserError("Usage: bun src/stub/link.ts PROGRAM STUB OUTPUT [--packed]");
  const bytes = readFileSync(program);
  const libraries = libraryNames.map(readLibrary);
  const form =
    recording === true ? packForRecording(bytes) : packed === true ? await packForImage(bytes) : undefined;
  const linked = linkStatic(bytes, readFileSync(stub), libraries, form);
  writeFileSync(`${output}.new`, linked, { mode: 0o755 });
  renameSync(`${output}.new`, output);
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`link: ${describe(error)}\n`);
    process.exitCode = 1;
  }
}
