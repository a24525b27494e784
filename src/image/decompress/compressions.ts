/** The compressions of initramfs data that the kernel knows (lib/decompress.c), told apart by their first bytes. */

import { bunzip2Stream } from "./bzip2.ts";
import type { Decoder } from "./decoder.ts";
import { gunzipMember } from "./gzip.ts";
import { unlz4Legacy } from "./lz4.ts";
import { unlzma } from "./lzma.ts";
import { unlzopFile } from "./lzo.ts";
import { unxzStream } from "./xz.ts";
import { unzstdFrame } from "./zstd.ts";

/** A compression, and what unpacks it. */
export interface Compression {
  /** As CONFIG_RD_… calls it, in lower case. */
  readonly name: "gzip" | "bzip2" | "lzma" | "xz" | "lzo" | "lz4" | "zstd";
  readonly decoder: Decoder;
}

/** The compression of the data that begin at `at`, as far as there is one that the kernel knows. */
export function compressionAt(image: Uint8Array, at: number): Compression | undefined {
  return COMPRESSIONS.find(({ magic }) => magic.every((byte, index) => image[at + index] === byte));
}

// The kernel looks at the first two bytes only.
const COMPRESSIONS: readonly (Compression & { readonly magic: readonly number[] })[] = [
  { magic: [0x1f, 0x8b], name: "gzip", decoder: gunzipMember },
  { magic: [0x42, 0x5a], name: "bzip2", decoder: bunzip2Stream },
  { magic: [0x5d, 0x00], name: "lzma", decoder: unlzma },
  { magic: [0xfd, 0x37], name: "xz", decoder: unxzStream },
  { magic: [0x89, 0x4c], name: "lzo", decoder: unlzopFile },
  { magic: [0x02, 0x21], name: "lz4", decoder: unlz4Legacy },
  { magic: [0x28, 0xb5], name: "zstd", decoder: unzstdFrame },
];
