/** Compressed kernel modules and firmware: gzip, zstd and xz, told apart by their first bytes. */

import { describe, UserError } from "../lib/errors.ts";
import { text } from "../lib/bytes.ts";
import { unxz } from "./xz/xz.ts";

/** How a file is compressed; the words are those of /sys/module/compression. */
export type Compression = "gzip" | "zstd" | "xz";

/** How the file of this name is compressed, by its ending (kmod knows these three). */
export function compressionOfName(file: string): Compression | undefined {
  return ENDINGS.find(({ ending }) => file.endsWith(ending))?.compression;
}

/** `name` without the ending that says how it is compressed. */
export function uncompressedName(file: string): string {
  const found = ENDINGS.find(({ ending }) => file.endsWith(ending));
  return found ? file.slice(0, -found.ending.length) : file;
}

/**
 * The bytes of a file that may be compressed; others are returned as they are. `file` is for the sentence of
 * the UserError that damaged data throw.
 */
export function decompress(file: string, bytes: Uint8Array): Uint8Array {
  const compression = compressionOf(bytes);
  if (!compression) return bytes;
  try {
    return DECODERS[compression](bytes);
  } catch (error) {
    throw new UserError(
      `${text(file)} can't be unpacked as ${compression}: ${describe(error)}.`,
      "The file is damaged: install it again, or build the image again.",
    );
  }
}

const ENDINGS: readonly { readonly ending: string; readonly compression: Compression }[] = [
  { ending: ".gz", compression: "gzip" },
  { ending: ".zst", compression: "zstd" },
  { ending: ".xz", compression: "xz" },
];

const MAGICS: readonly { readonly magic: readonly number[]; readonly compression: Compression }[] = [
  { magic: [0x1f, 0x8b], compression: "gzip" },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], compression: "zstd" },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], compression: "xz" },
];

const DECODERS: Readonly<Record<Compression, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: (bytes) => Bun.gunzipSync(ownBuffer(bytes)),
  zstd: (bytes) => Bun.zstdDecompressSync(ownBuffer(bytes)),
  xz: unxz,
};

function compressionOf(bytes: Uint8Array): Compression | undefined {
  return MAGICS.find(({ magic }) => magic.every((byte, at) => bytes[at] === byte))?.compression;
}

// The types of Bun's decoders refuse shared memory, which none of our buffers is.
function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}
