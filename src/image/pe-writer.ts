/**
 * Writing EFI programs: with more sections, with others, and laid out anew in the file.
 *
 * Where sections are in memory never changes, as the program counts on it. COFF symbols are left out: no image
 * file should have any.
 */

import { toBytes, View } from "../lib/bytes.ts";
import {
  DIRECTORIES,
  headerPlaces,
  OPTIONAL_HEADER,
  peDirectory,
  PeError,
  SECTION_FLAGS,
  SECTION_HEADER,
  type PeImage,
  type PeSection,
} from "./pe.ts";

/** A section to be added. */
export interface NewSection {
  /** One to eight bytes. */
  readonly name: string;
  readonly data: Uint8Array;
  /** How much memory it takes, if that is more than its data. */
  readonly virtualSize?: number;
  readonly characteristics: number;
}

/** The image with one more section, behind all others in memory. @throws PeError when it gets too large */
export function withSection(image: PeImage, { name, data, characteristics, ...room }: NewSection): PeImage {
  const virtualAddress = roundUp(memoryEnd(image.sections), image.sectionAlignment);
  const virtualSize = Math.max(room.virtualSize ?? 0, data.length);
  const section = { name, virtualAddress, virtualSize, data, characteristics };
  const sections = [...image.sections, section];
  if (roundUp(memoryEnd(sections), image.sectionAlignment) >= LIMIT)
    throw new PeError("it would be larger than 4 GiB");
  return { ...image, sections };
}

/**
 * The file, with its checksum and this time (seconds since 1970) in its header.
 * @throws PeError when there is no room for the headers of all its sections, or when it is signed
 */
export function writePe(image: PeImage, timestamp: number): Uint8Array {
  if (image.isSigned) throw new PeError("it is signed, and its signature would be void");
  const { sections, fileAlignment } = image;
  const sizeOfHeaders = headersSize(image);
  const places = filePlaces(sections, sizeOfHeaders, fileAlignment);
  const file = new Uint8Array(places.at(-1) ?? sizeOfHeaders);
  const out = new DataView(file.buffer);
  file.set(image.headers);
  writeHeaders(image, sizeOfHeaders, timestamp, out);
  for (const [index, section] of sections.entries()) {
    const at = image.headers.length + index * SECTION_HEADER;
    const place = section.data.length === 0 ? 0 : (places[index] ?? 0);
    file.set(toBytes(section.name.slice(0, 8)), at);
    out.setUint32(at + 8, section.virtualSize, true);
    out.setUint32(at + 12, section.virtualAddress, true);
    out.setUint32(at + 16, roundUp(section.data.length, fileAlignment), true);
    out.setUint32(at + 20, place, true);
    out.setUint32(at + 36, section.characteristics, true);
    file.set(section.data, place);
  }
  moveDebugData(image, places, out);
  out.setUint32(
    headerPlaces(new View(image.headers)).optional + OPTIONAL_HEADER.checksum,
    checksum(file),
    true,
  );
  return file;
}

/** The checksum of a file in whose header it is 0: its 16-bit words added with carry around, and its length. */
export function checksum(file: Uint8Array): number {
  const data = new DataView(file.buffer, file.byteOffset, file.length);
  // Two words at a time: 65536 counts as 1 where the carry goes around. The sum stays below 2^53.
  let sum = 0;
  const whole = file.length - (file.length % 4);
  for (let at = 0; at < whole; at += 4) sum += data.getUint32(at, true);
  for (let at = whole; at < file.length; at++) sum += (file[at] ?? 0) * (at % 2 === 0 ? 1 : 0x100);
  const carried = sum === 0 ? 0 : sum % 0xffff || 0xffff;
  return carried + file.length;
}

const LIMIT = 2 ** 32;
/** IMAGE_FILE_LOCAL_SYMS_STRIPPED, among the characteristics of the file. */
const SYMBOLS_STRIPPED = 0x8;
const DEBUG_ENTRY = 28;

// The headers are loaded, too, in front of the first section. When they grow, only what follows in the file moves.
function headersSize({ headers, sections, fileAlignment }: PeImage): number {
  const size = roundUp(headers.length + SECTION_HEADER * sections.length, fileAlignment);
  if (size > Math.min(...sections.map(({ virtualAddress }) => virtualAddress)))
    throw new PeError(`its headers have no room for ${sections.length} sections`);
  return size;
}

function writeHeaders(image: PeImage, sizeOfHeaders: number, timestamp: number, out: DataView): void {
  const { sections, sectionAlignment } = image;
  const { file, optional } = headerPlaces(new View(image.headers));
  out.setUint16(file + 2, sections.length, true);
  out.setUint32(file + 4, timestamp, true);
  // The table of symbols: where it is, and how many.
  out.setUint32(file + 8, 0, true);
  out.setUint32(file + 12, 0, true);
  out.setUint16(file + 18, out.getUint16(file + 18, true) | SYMBOLS_STRIPPED, true);
  const fields: Partial<Record<keyof typeof OPTIONAL_HEADER, number>> = {
    sizeOfCode: fileSizeOf(image, SECTION_FLAGS.code),
    sizeOfInitializedData: fileSizeOf(image, SECTION_FLAGS.initializedData),
    sizeOfImage: roundUp(Math.max(sizeOfHeaders, memoryEnd(sections)), sectionAlignment),
    sizeOfHeaders,
    checksum: 0,
  };
  for (const [name, value] of Object.entries(fields))
    out.setUint32(optional + OPTIONAL_HEADER[name as keyof typeof OPTIONAL_HEADER], value, true);
}

// Where each section begins in the file, and behind the last of them where the file ends.
function filePlaces(sections: readonly PeSection[], start: number, alignment: number): number[] {
  const places = [start];
  for (const { data } of sections) places.push((places.at(-1) ?? 0) + roundUp(data.length, alignment));
  return places;
}

function memoryEnd(sections: readonly PeSection[]): number {
  return Math.max(0, ...sections.map(({ virtualAddress, virtualSize }) => virtualAddress + virtualSize));
}

function fileSizeOf({ sections, fileAlignment }: PeImage, flag: number): number {
  return sections
    .filter(({ characteristics }) => (characteristics & flag) !== 0)
    .reduce((sum, { data }) => sum + roundUp(data.length, fileAlignment), 0);
}

// Entries of the debug directory say where their data are in the file, besides where they are in memory.
function moveDebugData({ headers, sections }: PeImage, places: readonly number[], out: DataView): void {
  const placeOf = (address: number, length: number) => {
    const index = sections.findIndex(
      ({ virtualAddress, data }) =>
        address >= virtualAddress && address + length <= virtualAddress + data.length,
    );
    const section = sections[index];
    return section && (places[index] ?? 0) + address - section.virtualAddress;
  };
  const { address, size } = peDirectory(new View(headers), DIRECTORIES.debug);
  for (let done = 0; done + DEBUG_ENTRY <= size; done += DEBUG_ENTRY) {
    const entry = placeOf(address + done, DEBUG_ENTRY);
    if (entry === undefined) return;
    const data = out.getUint32(entry + 20, true);
    if (data !== 0) out.setUint32(entry + 24, placeOf(data, 1) ?? 0, true);
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
