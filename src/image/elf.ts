/**
 * ELF files: what a program needs to run, and the sections of a kernel module.
 *
 * Both classes, both byte orders (System V ABI, chapters 4 and 5). Every read is bounds-checked.
 */

import { fromBytes } from "../lib/bytes.ts";

/** A damaged ELF file; the message is a half sentence. */
export class ElfError extends Error {
  override readonly name = "ElfError";
}

/** The header of an ELF file and what its dynamic section says. */
export interface Elf {
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  /** e_type: 1 relocatable, 2 executable, 3 shared object or position-independent executable. */
  readonly type: number;
  /** e_machine: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
  /** e_flags: the variant of the machine. */
  readonly flags: number;
  /** The program interpreter (PT_INTERP). */
  readonly interpreter: string | undefined;
  readonly needed: readonly string[];
  readonly soname: string | undefined;
  readonly rpath: string | undefined;
  readonly runpath: string | undefined;
  /** DT_FLAGS and DT_FLAGS_1. */
  readonly dynamicFlags: number;
  readonly dynamicFlags1: number;
  /** The names of the dynamic symbols and more, each ended by a NUL (DT_STRTAB). */
  readonly dynamicStrings: string;
}

/** Reads an ELF file; undefined when it is none. @throws ElfError when it is damaged. */
export function parseElf(bytes: Uint8Array): Elf | undefined {
  if (fromBytes(bytes.subarray(0, 4)) !== "\x7fELF") return undefined;
  const file = new ElfView(bytes);
  const segments = file.table(file.programHeaders, (at) => readSegment(file, at));
  const interpreter = segments.find(({ type }) => type === PT_INTERP);
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  const entries = dynamic ? readDynamic(file, dynamic) : [];
  const value = (tag: number) => entries.find((entry) => entry.tag === tag)?.value;
  const strings = readStrings(file, segments, value(DT_STRTAB), value(DT_STRSZ));
  const string = (offset: number | undefined) =>
    offset === undefined ? undefined : stringAt(strings, offset);
  return {
    bits: file.bits,
    littleEndian: file.littleEndian,
    type: file.u16(16),
    machine: file.u16(18),
    flags: file.u32(file.bits === 64 ? 48 : 36),
    interpreter: interpreter && stringAt(fromBytes(file.slice(interpreter.offset, interpreter.fileSize)), 0),
    needed: entries.filter(({ tag }) => tag === DT_NEEDED).map((entry) => stringAt(strings, entry.value)),
    soname: string(value(DT_SONAME)),
    rpath: string(value(DT_RPATH)),
    runpath: string(value(DT_RUNPATH)),
    dynamicFlags: value(DT_FLAGS) ?? 0,
    dynamicFlags1: value(DT_FLAGS_1) ?? 0,
    dynamicStrings: strings,
  };
}

/** The bytes of the first section of this name; undefined where there is none. @throws ElfError */
export function elfSection(bytes: Uint8Array, name: string): Uint8Array | undefined {
  if (fromBytes(bytes.subarray(0, 4)) !== "\x7fELF") throw new ElfError("it is no ELF file");
  const file = new ElfView(bytes);
  const sections = file.table(file.sectionHeaders, (at) => readSection(file, at));
  const names = sections[file.sectionNames];
  if (!names) return undefined;
  const strings = fromBytes(file.slice(names.offset, names.size));
  const found = sections.find((section) => stringAt(strings, section.name) === name);
  if (!found) return undefined;
  return found.type === SHT_NOBITS ? new Uint8Array(0) : file.slice(found.offset, found.size);
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
}

interface Table {
  readonly offset: number;
  readonly count: number;
  readonly entrySize: number;
  readonly smallest: number;
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const SHT_NOBITS = 8;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_STRSZ = 10;
const DT_SONAME = 14;
const DT_RPATH = 15;
const DT_RUNPATH = 29;
const DT_FLAGS = 30;
const DT_FLAGS_1 = 0x6ffffffb;

/** The file as numbers in its own class and byte order. */
class ElfView {
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  private readonly bytes: Uint8Array;
  private readonly data: DataView;

  constructor(bytes: Uint8Array) {
    const [elfClass, order] = [bytes[4], bytes[5]];
    if ((elfClass !== 1 && elfClass !== 2) || (order !== 1 && order !== 2))
      throw new ElfError("its ELF header is of an unknown kind");
    this.bits = elfClass === 2 ? 64 : 32;
    this.littleEndian = order === 1;
    this.bytes = bytes;
    this.data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(at: number): number {
    this.check(at, 2);
    return this.data.getUint16(at, this.littleEndian);
  }

  u32(at: number): number {
    this.check(at, 4);
    return this.data.getUint32(at, this.littleEndian);
  }

  /** An address, an offset or a size: 32 or 64 bits. Beyond 2^53 it is not exact, and out of bounds anyway. */
  word(at: number): number {
    if (this.bits === 32) return this.u32(at);
    this.check(at, 8);
    return Number(this.data.getBigUint64(at, this.littleEndian));
  }

  slice(offset: number, length: number): Uint8Array {
    this.check(offset, length);
    return this.bytes.subarray(offset, offset + length);
  }

  get programHeaders(): Table {
    if (this.bits === 64) return this.tableAt(this.word(32), 56, 54, 56);
    return this.tableAt(this.word(28), 44, 42, 32);
  }

  get sectionHeaders(): Table {
    if (this.bits === 64) return this.tableAt(this.word(40), 60, 58, 64);
    return this.tableAt(this.word(32), 48, 46, 40);
  }

  /** Index of the section that holds the names of all. */
  get sectionNames(): number {
    return this.u16(this.bits === 64 ? 62 : 50);
  }

  table<T>({ offset, count, entrySize, smallest }: Table, read: (at: number) => T): T[] {
    if (count === 0 || offset === 0) return [];
    if (entrySize < smallest) throw new ElfError("its header tables are damaged");
    this.check(offset, count * entrySize);
    return Array.from({ length: count }, (_, index) => read(offset + index * entrySize));
  }

  private tableAt(offset: number, countAt: number, sizeAt: number, smallest: number): Table {
    return { offset, count: this.u16(countAt), entrySize: this.u16(sizeAt), smallest };
  }

  private check(at: number, length: number): void {
    if (at + length > this.bytes.length) throw new ElfError("it is cut short or damaged");
  }
}

function readSegment(file: ElfView, at: number): Segment {
  const type = file.u32(at);
  if (file.bits === 64)
    return { type, offset: file.word(at + 8), address: file.word(at + 16), fileSize: file.word(at + 32) };
  return { type, offset: file.word(at + 4), address: file.word(at + 8), fileSize: file.word(at + 16) };
}

function readSection(
  file: ElfView,
  at: number,
): { name: number; type: number; offset: number; size: number } {
  const [name, type] = [file.u32(at), file.u32(at + 4)];
  if (file.bits === 64) return { name, type, offset: file.word(at + 24), size: file.word(at + 32) };
  return { name, type, offset: file.word(at + 16), size: file.word(at + 20) };
}

function readDynamic(file: ElfView, segment: Segment): { tag: number; value: number }[] {
  const width = file.bits / 8;
  const entries: { tag: number; value: number }[] = [];
  for (let at = segment.offset; at + 2 * width <= segment.offset + segment.fileSize; at += 2 * width) {
    const tag = file.word(at);
    if (tag === 0) break;
    entries.push({ tag, value: file.word(at + width) });
  }
  return entries;
}

// The table's address is that in memory: the segment that is loaded there says where it is in the file.
function readStrings(
  file: ElfView,
  segments: readonly Segment[],
  address: number | undefined,
  size: number | undefined,
): string {
  if (address === undefined || size === undefined) return "";
  const home = segments.find(
    (segment) =>
      segment.type === PT_LOAD && address >= segment.address && address < segment.address + segment.fileSize,
  );
  if (!home) throw new ElfError("its dynamic strings are in no segment");
  return fromBytes(file.slice(address - home.address + home.offset, size));
}

function stringAt(strings: string, offset: number): string {
  const end = strings.indexOf("\0", offset);
  if (offset > strings.length || end < 0) throw new ElfError("a name in it does not end");
  return strings.slice(offset, end);
}
