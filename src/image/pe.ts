/**
 * EFI programs: PE files (PE32+) as headers and sections.
 *
 * Follows Microsoft's "PE Format", as far as UEFI uses it (UEFI specification, section 2.1.1). Every read is
 * bounds-checked. The writer is in pe-writer.ts.
 */

import { View } from "../lib/bytes.ts";

/** A file that is no PE file for UEFI, or a damaged one; the message is a half sentence. */
export class PeError extends Error {
  override readonly name = "PeError";
}

/** A section. */
export interface PeSection {
  /** At most eight bytes. */
  readonly name: string;
  /** Where it is in memory, from the beginning of the image, and how many bytes it has there. */
  readonly virtualAddress: number;
  readonly virtualSize: number;
  /** What the file has of it, at most `virtualSize` bytes, not copied; the rest in memory is zeros. */
  readonly data: Uint8Array;
  /** The bits of SECTION_FLAGS and others. */
  readonly characteristics: number;
}

/** A PE file. */
export interface PeImage {
  /** Everything in front of the table of sections: the DOS header, the file header, the optional header. */
  readonly headers: Uint8Array;
  readonly sections: readonly PeSection[];
  /** 0x8664 is x86-64. */
  readonly machine: number;
  /** 10 is a program for UEFI. */
  readonly subsystem: number;
  /** How much memory the loaded program takes. */
  readonly sizeOfImage: number;
  /** Multiples that sections begin at: in memory, and in the file. */
  readonly sectionAlignment: number;
  readonly fileAlignment: number;
  /** True when it carries a signature. */
  readonly isSigned: boolean;
}

/** Bits of a section's characteristics. */
export const SECTION_FLAGS = { code: 0x20, initializedData: 0x40, read: 0x4000_0000 } as const;

export const MACHINE_X86_64 = 0x8664;
export const SUBSYSTEM_EFI_APPLICATION = 10;

/** Numbers of data directories. */
export const DIRECTORIES = { certificates: 4, debug: 6 } as const;

/** Where the optional header's fields stand in it (PE32+). */
export const OPTIONAL_HEADER = {
  sizeOfCode: 4,
  sizeOfInitializedData: 8,
  sectionAlignment: 32,
  fileAlignment: 36,
  sizeOfImage: 56,
  sizeOfHeaders: 60,
  checksum: 64,
  subsystem: 68,
  directoryCount: 108,
  directories: 112,
} as const;

/** How many bytes each entry of the table of sections has. */
export const SECTION_HEADER = 40;

/** Reads a PE32+ file. @throws PeError */
export function parsePe(bytes: Uint8Array): PeImage {
  const view = new View(bytes);
  if (!view.has(0, "MZ")) throw new PeError("it is no EFI program");
  try {
    return readImage(view);
  } catch (error) {
    throw error instanceof RangeError ? new PeError("it is cut short") : error;
  }
}

/** The bytes of the section of this name; undefined where there is none. */
export function peSection(image: PeImage, name: string): Uint8Array | undefined {
  return image.sections.find((section) => section.name === name)?.data;
}

/** Where headers that parsePe() has read have the file header, behind its four-byte signature, and the optional header. */
export function headerPlaces(headers: View): { file: number; optional: number } {
  const pe = headers.u32(PE_POINTER);
  return { file: pe + 4, optional: pe + 4 + FILE_HEADER };
}

/** A data directory: where it is in memory (for certificates: in the file), and its size in bytes. */
export function peDirectory(headers: View, index: number): { address: number; size: number } {
  const { optional } = headerPlaces(headers);
  if (index >= headers.u32(optional + OPTIONAL_HEADER.directoryCount)) return { address: 0, size: 0 };
  const at = optional + OPTIONAL_HEADER.directories + DIRECTORY * index;
  return { address: headers.u32(at), size: headers.u32(at + 4) };
}

const PE_POINTER = 0x3c;
const FILE_HEADER = 20;
const DIRECTORY = 8;
const PE32_PLUS = 0x20b;
/** The limit of Windows' loader, and of systemd's stub. */
const MOST_SECTIONS = 96;
const LEAST_ALIGNMENT = 16;
const MOST_ALIGNMENT = 65536;

function readImage(view: View): PeImage {
  const { file, optional } = headerPlaces(view);
  if (!view.has(file - 4, "PE\0\0")) throw new PeError("it is no EFI program");
  if (view.u16(optional) !== PE32_PLUS) throw new PeError("it is no 64-bit EFI program");
  const table = optional + view.u16(file + 16);
  const directories = view.u32(optional + OPTIONAL_HEADER.directoryCount);
  if (table < optional + OPTIONAL_HEADER.directories + DIRECTORY * directories)
    throw new PeError("its headers overlap");
  const count = view.u16(file + 2);
  if (count === 0 || count > MOST_SECTIONS) throw new PeError(`it has ${count} sections`);
  return {
    headers: view.slice(0, table),
    sections: Array.from({ length: count }, (_, index) => readSection(view, table + index * SECTION_HEADER)),
    machine: view.u16(file),
    subsystem: view.u16(optional + OPTIONAL_HEADER.subsystem),
    sizeOfImage: view.u32(optional + OPTIONAL_HEADER.sizeOfImage),
    sectionAlignment: alignment(view.u32(optional + OPTIONAL_HEADER.sectionAlignment)),
    fileAlignment: alignment(view.u32(optional + OPTIONAL_HEADER.fileAlignment)),
    isSigned: peDirectory(view, DIRECTORIES.certificates).size > 0,
  };
}

function alignment(value: number): number {
  if (value < LEAST_ALIGNMENT || value > MOST_ALIGNMENT || (value & (value - 1)) !== 0)
    throw new PeError(`its sections are aligned to ${value} bytes`);
  return value;
}

function readSection(view: View, at: number): PeSection {
  const name = view.string(at, 8);
  const [virtualSize, virtualAddress] = [view.u32(at + 8), view.u32(at + 12)];
  const [size, place] = [view.u32(at + 16), view.u32(at + 20)];
  // What the file has beyond `virtualSize` only fills it up to the alignment.
  const data = place === 0 ? view.slice(0, 0) : view.slice(place, Math.min(size, virtualSize));
  return { name, virtualAddress, virtualSize, data, characteristics: view.u32(at + 36) };
}
