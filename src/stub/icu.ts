/**
 * The part of the runtime that knows languages and scripts: ICU's data, 12 MB that compress to 8. rdinit speaks English
 * and sorts by English rules, so all other languages are left out. ICU takes a damaged item for one that it
 * was built without.
 *
 * The layout is that of ICU's common data (unicode/udata.h and ucmndata.h): a header, a table of names and offsets,
 * sorted, and the items.
 */

import { view } from "./segments.ts";

/** A file within the data, by its name without the package's; offsets are those in the given bytes. */
export interface IcuItem {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** The items of the ICU data that lies somewhere in `bytes`; none when there is no such data. The last item has no end of its own and is left out. */
export function icuItems(bytes: Uint8Array): IcuItem[] {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = data.indexOf(COMMON_DATA) - COMMON_DATA_AT;
  if (at < 0 || data.readUInt16BE(at + 2) !== MAGIC) return [];
  const table = at + data.readUInt16LE(at);
  const count = data.readUInt32LE(table);
  const word = (index: number): number => table + view(bytes).getUint32(table + 4 + 4 * index, true);
  return Array.from({ length: count - 1 }, (_, i) => {
    const name = word(2 * i);
    const path = data.toString("latin1", name, data.indexOf(0, name));
    return { name: path.slice(path.indexOf("/") + 1), start: word(2 * i + 1), end: word(2 * i + 3) };
  });
}

/**
 * Whether an item serves but a language other than English, or looks for words where a script sets no spaces. The indexes
 * of languages (res_index) are among them: what none names is asked for in vain, and the answer is in English.
 */
export function isOtherLanguage(name: string): boolean {
  return /(?:^|\/)(?!en[_.])[a-z]{2,3}(?:_\w*)?\.res$/.test(name) || name.endsWith(".dict");
}

/** The same bytes, with zeros for the items of other languages. */
export function withoutLanguages(bytes: Uint8Array): Uint8Array {
  const rest = bytes.slice();
  for (const { name, start, end } of icuItems(bytes)) if (isOtherLanguage(name)) rest.fill(0, start, end);
  return rest;
}

/** In the header: its size, two bytes of magic, and at offset 12 the kind of data. */
const COMMON_DATA = "CmnD";
const COMMON_DATA_AT = 12;
const MAGIC = 0xda27;
