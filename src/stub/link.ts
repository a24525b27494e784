/**
 * Makes one static ELF file of a compiled Bun program, the entry stub and the C library.
 *
 *   bun src/stub/link.ts PROGRAM STUB OUTPUT
 *
 * The program's own bytes follow unchanged behind a new header, page-aligned, and are mapped at the
 * addresses they were linked for. So its original program headers, which the dynamic loader must see
 * (with PT_INTERP and PT_TLS), are in memory where they always were, and the stub only points to them.
 *
 *   offset 0   ELF header, program headers: stub, program, libraries; no PT_INTERP
 *   0x1000     the stub's one segment (entry.c)
 *   ...        ld-linux and the libraries
 *   ...        the program, whole
 *
 * The stub stands in front so that a file that was cut short still says so.
 */

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { UserError, describe } from "../lib/errors.ts";

/** SONAMEs that the program needs, the loader first; layout.h reserves as many places. */
export const libraryNames = [
  "ld-linux-x86-64.so.2",
  "libc.so.6",
  "libm.so.6",
  "libdl.so.2",
  "libpthread.so.0",
] as const;

/**
 * The linked file. `libraries` holds the files' contents in the order of `libraryNames`.
 * Follows the ELF-64 object file format, version 1.5.
 * @throws UserError when the program or the stub is not the kind of ELF file that this can link
 */
export function linkStatic(
  program: Uint8Array,
  stub: Uint8Array,
  libraries: readonly Uint8Array[],
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

  const stubAt = PAGE;
  const librariesAt = pageUp(stubAt + Number(stubSegment.fileSize));
  let end = librariesAt;
  const libraryOffsets = libraries.map((library) => {
    const offset = end;
    end = pageUp(end + library.length);
    return offset;
  });
  const programAt = end;
  const size = programAt + program.length;

  const highest = programSegments.reduce(
    (top, s) => (s.address + s.memorySize > top ? s.address + s.memorySize : top),
    0n,
  );
  const librariesAddress = BigInt(pageUp(Number(highest)) + PAGE);
  const address = (i: number): bigint => librariesAddress + BigInt((libraryOffsets[i] ?? 0) - librariesAt);

  const out = new Uint8Array(size);
  out.set(stub.subarray(0, Number(stubSegment.fileSize)), stubAt);
  for (const [i, library] of libraries.entries()) out.set(library, libraryOffsets[i] ?? 0);
  out.set(program, programAt);

  const librariesSize = BigInt(programAt - librariesAt);
  const segments: Segment[] = [
    { ...stubSegment, offset: BigInt(stubAt) },
    ...programSegments.map((s) => ({ ...s, offset: s.offset + BigInt(programAt) })),
    {
      type: PT_LOAD,
      flags: PF_R,
      offset: BigInt(librariesAt),
      address: librariesAddress,
      fileSize: librariesSize,
      memorySize: librariesSize,
      align: BigInt(PAGE),
    },
    {
      type: PT_GNU_STACK,
      flags: PF_R | PF_W,
      offset: 0n,
      address: 0n,
      fileSize: 0n,
      memorySize: 0n,
      align: 16n,
    },
  ];
  writeHeader(out, view(stub).getBigUint64(24, true), segments);
  fillConfig(out, stubAt, stubSegment, [
    BigInt(size),
    programHeader.getBigUint64(24, true),
    headersAddress(programHeader, programSegments),
    BigInt(programHeader.getUint16(56, true)),
    ...libraries.flatMap((library, i) => [address(i), BigInt(library.length)]),
  ]);
  return out;
}

const PAGE = 4096;
const ET_EXEC = 2;
const PT_LOAD = 1;
const PT_GNU_STACK = 0x6474e551;
const PF_W = 2;
const PF_R = 4;
const MAGIC = "RDINITSTUBCONFIG";

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: bigint;
  readonly address: bigint;
  readonly fileSize: bigint;
  readonly memorySize: bigint;
  readonly align: bigint;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function pageUp(n: number): number {
  return Math.ceil(n / PAGE) * PAGE;
}

function loadSegments(elf: Uint8Array, what: string): Segment[] {
  const v = view(elf);
  if (elf.length < 64 || v.getUint32(0, false) !== 0x7f454c46 || elf[4] !== 2 || v.getUint16(18, true) !== 62)
    throw new UserError(`${what} is not an ELF file for x86-64.`);
  const segments: Segment[] = [];
  for (let i = 0; i < v.getUint16(56, true); i++) {
    const at = Number(v.getBigUint64(32, true)) + i * v.getUint16(54, true);
    if (v.getUint32(at, true) !== PT_LOAD) continue;
    segments.push({
      type: PT_LOAD,
      flags: v.getUint32(at + 4, true),
      offset: v.getBigUint64(at + 8, true),
      address: v.getBigUint64(at + 16, true),
      fileSize: v.getBigUint64(at + 32, true),
      memorySize: v.getBigUint64(at + 40, true),
      align: v.getBigUint64(at + 48, true),
    });
  }
  if (segments.some((s) => s.align > BigInt(PAGE)))
    throw new UserError(
      `${what} has segments aligned to more than ${PAGE} bytes, which link.ts does not handle.`,
    );
  return segments;
}

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
  const at = Buffer.from(out.buffer, stubAt, Number(stub.fileSize)).indexOf(MAGIC);
  if (at < 0) throw new UserError(`The entry stub does not hold the magic ${MAGIC}.`);
  const v = new DataView(out.buffer, stubAt + at + MAGIC.length);
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

function main(argv: readonly string[]): void {
  const [program, stub, output] = argv;
  if (program === undefined || stub === undefined || output === undefined)
    throw new UserError("Usage: bun src/stub/link.ts PROGRAM STUB OUTPUT");
  const linked = linkStatic(readFileSync(program), readFileSync(stub), libraryNames.map(readLibrary));
  writeFileSync(`${output}.new`, linked, { mode: 0o755 });
  renameSync(`${output}.new`, output);
}

if (import.meta.main) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`link: ${describe(error)}\n`);
    process.exitCode = 1;
  }
}
