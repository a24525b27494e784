/**
 * ISO 9660, with Joliet.
 *
 * Layout: ECMA-119 (volume descriptors) and Microsoft's Joliet specification. As in libblkid
 * (superblocks/iso9660.c) the UUID is the date of the last change, or else of the creation, and the
 * label is put together from both descriptors: Joliet's has the true letters but only 16 of
 * them, the primary one has 32 but a "_" for each letter that it can't express.
 */

import { fromBytes, type View } from "../lib/bytes.ts";
import { labelField, labelOf, utf16ToUtf8 } from "./fields.ts";
import type { At, Format } from "./format.ts";

const start = 0x8000;
const descriptor_bytes = 2048;
const most_descriptors = 16;
const label_offset = 40;
const label_bytes = 32;

export const iso9660: Format = {
  name: "iso9660",
  windows: [{ offset: start, length: 4 * descriptor_bytes }],
  tolerant: true,
  parse(at) {
    if (!at(start, descriptor_bytes)?.has(1, "CD001")) return undefined;
    const { primary, joliet } = findDescriptors(at);
    if (primary === undefined) return undefined;
    const uuid = dateUuid(primary, 830) ?? dateUuid(primary, 813);
    return {
      type: "iso9660",
      usage: "filesystem",
      ...(uuid === undefined ? {} : { uuid }),
      ...(joliet === undefined
        ? labelField(primary, label_offset, label_bytes)
        : labelOf(utf16ToUtf8(jolietLabel(primary, joliet), "big"))),
      ...(joliet === undefined ? {} : { version: "Joliet Extension" }),
    };
  },
};

function findDescriptors(at: At): { primary?: View; joliet?: View } {
  const kinds: { primary?: View; joliet?: View } = {};
  for (let index = 0; index < most_descriptors; index++) {
    const view = at(start + index * descriptor_bytes, descriptor_bytes);
    if (view === undefined || view.u8(0) === 0xff) break;
    if (view.u8(0) === 1) kinds.primary ??= view;
    if (view.u8(0) === 2 && isJoliet(view)) kinds.joliet ??= view;
  }
  return kinds;
}

// The escape sequences of UCS-2, levels 1 to 3.
function isJoliet(view: View): boolean {
  return ["%/@", "%/C", "%/E"].some((escape) => view.has(88, escape));
}

// Sixteen digits and an offset from UTC; all digits "0" and no offset is no date.
function dateUuid(view: View, offset: number): string | undefined {
  const digits = view.slice(offset, 16);
  if (digits.every((digit) => digit === 0)) return undefined;
  const text = fromBytes(digits);
  if (text === "0".repeat(16) && view.u8(offset + 16) === 0) return undefined;
  return text.replace(/^([^]{4})([^]{2})([^]{2})([^]{2})([^]{2})([^]{2})([^]{2})$/, "$1-$2-$3-$4-$5-$6-$7");
}

/*
 * Joliet's label, continued by the primary one where that begins with the same letters; UTF-16BE.
 * A letter of Joliet's stands against one "_" of the primary's. Where both know the letter, the
 * lower-case one is kept: either side may have been turned to upper case.
 */
function jolietLabel(primary: View, joliet: View): Uint8Array {
  const wide = joliet.slice(label_offset, label_bytes);
  const narrow = primary.slice(label_offset, label_bytes);
  const units: number[] = [];
  let next = 0;
  for (let offset = 0; offset + 1 < wide.length && next < narrow.length; offset += 2, next++) {
    if (isPair(wide, offset)) {
      units.push(unitAt(wide, offset));
      offset += 2;
    }
    const unit = unitAt(wide, offset);
    const letter = narrow[next] ?? 0;
    if (letter === underscore) units.push(unit);
    else if (unit === underscore) units.push(letter);
    else if (upper(unit) === upper(letter)) units.push(upper(letter) === letter ? unit : letter);
    else return wide;
  }
  units.push(...narrow.subarray(next));
  return Uint8Array.from(units.flatMap((unit) => [unit >> 8, unit & 0xff]));
}

const underscore = 0x5f;

function unitAt(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

function isPair(bytes: Uint8Array, offset: number): boolean {
  if (offset + 3 >= bytes.length) return false;
  return unitAt(bytes, offset) >> 10 === 0x36 && unitAt(bytes, offset + 2) >> 10 === 0x37;
}

// ASCII only, as in both of the originals.
function upper(unit: number): number {
  return unit >= 0x61 && unit <= 0x7a ? unit - 0x20 : unit;
}
