/** LZMA2: chunks of LZMA and of plain bytes, each saying what to forget before it. */

import { XzError } from "./error.ts";
import { Lzma } from "./lzma.ts";
import { RangeDecoder } from "./range-decoder.ts";

/** The size of the dictionary that the one byte of LZMA2's filter properties stands for, in bytes. */
export function dictionarySize(property: number): number {
  if (property > 40) throw new XzError("the dictionary's size is not valid");
  if (property === 40) return 0xffffffff;
  return (2 | (property & 1)) * 2 ** ((property >>> 1) + 11);
}

/** Where the result goes: out[from, to). */
interface Target {
  readonly from: number;
  readonly to: number;
  readonly dictionary: number;
  /** Is told after each chunk up to where there are data. */
  readonly reached?: (written: number) => void;
}

/**
 * Decodes the chunks of `bytes` from `start` on into out[from, to), which they must fill exactly.
 * Returns the offset behind the last chunk. Throws XzError.
 */
export function decodeLzma2(
  bytes: Uint8Array,
  start: number,
  out: Uint8Array,
  { from, to, dictionary, reached }: Target,
): number {
  const lzma = new Lzma(out, from, dictionary);
  let needsDictionaryReset = true;
  let needsProperties = true;
  let at = start;
  const byte = (offset: number) => {
    const value = bytes[offset];
    if (value === undefined) throw new XzError("the data end inside a chunk");
    return value;
  };
  for (;;) {
    const control = byte(at);
    if (control === 0) break;
    if (control > 2 && control < 0x80) throw new XzError("a chunk is of an unknown kind");
    const compressed = control >= 0x80;
    const resetsDictionary = control === 1 || control >= 0xe0;
    if (resetsDictionary) lzma.resetDictionary();
    else if (needsDictionaryReset) throw new XzError("the first chunk builds on data that are not there");
    needsDictionaryReset = false;

    const length = 1 + (byte(at + 1) << 8) + byte(at + 2) + (compressed ? (control & 0x1f) << 16 : 0);
    if (length > to - lzma.written) throw new XzError("the data are longer than the index says");
    if (!compressed) {
      const data = bytes.subarray(at + 3, at + 3 + length);
      if (data.length < length) throw new XzError("the data end inside a chunk");
      lzma.store(data);
      // Plain bytes leave the models as they are, except that the next LZMA chunk must reset them after a dictionary reset.
      if (resetsDictionary) needsProperties = true;
      at += 3 + length;
      reached?.(lzma.written);
      continue;
    }
    const packed = 1 + (byte(at + 3) << 8) + byte(at + 4);
    at += 5;
    const reset = (control >>> 5) & 3;
    if (reset >= 2) {
      lzma.resetProperties(byte(at++));
      needsProperties = false;
    } else if (needsProperties) throw new XzError("a chunk lacks its properties");
    else if (reset === 1) lzma.resetState();
    if (at + packed > bytes.length) throw new XzError("the data end inside a chunk");
    const input = new RangeDecoder(bytes, at, at + packed);
    if (lzma.decode(input, length)) throw new XzError("a chunk ends too early");
    input.finish();
    at += packed;
    reached?.(lzma.written);
  }
  if (lzma.written !== to) throw new XzError("the data are shorter than the index says");
  return at + 1;
}
