/** gzip (RFC 1952): one member, which is what the kernel unpacks at once. */

import { constants, inflateRawSync } from "node:zlib";
import { CUT_SHORT, DecodeError, salvage, TOO_LARGE, WRONG_CHECKSUM, type Unpacked } from "./decoder.ts";
import { decodeByZlib } from "./zlib.ts";

export function gunzipMember(image: Uint8Array, start: number): Unpacked {
  const dataStart = afterHeader(image, start);
  if (dataStart > image.length) return { data: new Uint8Array(0), end: image.length, fault: CUT_SHORT };
  const packed = image.subarray(dataStart);
  const inflate = (length: number) =>
    decodeByZlib(inflateRawSync, packed.subarray(0, length), {
      whenCut: constants.Z_SYNC_FLUSH,
      expected: USUAL_RATIO * length,
    });
  try {
    const { data, used } = inflate(packed.length);
    const end = dataStart + used + TRAILER;
    if (end > image.length) return { data, end: image.length, fault: CUT_SHORT };
    return agrees(image, end - TRAILER, data) ? { data, end } : { data, end, fault: WRONG_CHECKSUM };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const fault = error.message;
    const data =
      fault === TOO_LARGE ? new Uint8Array(0) : salvage(packed.length, (length) => inflate(length).data);
    return { data, end: image.length, fault };
  }
}

const HEADER = 10;
/** A CRC-32 and a length. */
const TRAILER = 8;
const USUAL_RATIO = 8;
const FLAGS = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;

// Section 2.3.1; beyond the end when the header is.
function afterHeader(image: Uint8Array, start: number): number {
  const flags = image[start + 3] ?? 0;
  let at = start + HEADER;
  if (flags & FLAGS.extra) at += 2 + (image[at] ?? 0) + 256 * (image[at + 1] ?? 0);
  for (const text of [FLAGS.name, FLAGS.comment]) {
    if (!(flags & text)) continue;
    const nul = image.indexOf(0, at);
    at = nul < 0 ? image.length + 1 : nul + 1;
  }
  return flags & FLAGS.headerCrc ? at + 2 : at;
}

function agrees(image: Uint8Array, trailer: number, data: Uint8Array): boolean {
  const view = new DataView(image.buffer, image.byteOffset + trailer, TRAILER);
  return view.getUint32(0, true) === Bun.hash.crc32(data) && view.getUint32(4, true) === data.length;
}
