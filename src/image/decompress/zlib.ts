/** The decoders of node:zlib, told how large a result to expect, and asked how much they took. */

import { DecodeError, LARGEST, TOO_LARGE } from "./decoder.ts";

interface Options {
  /** The flag by which data that are cut short give what they hold. */
  readonly whenCut: number;
  /** How many bytes may come out. They are reserved at once, which costs nothing until they are written. */
  readonly expected: number;
}

/**
 * The bytes that `packed` hold, and how many of those were used.
 * @throws DecodeError
 */
export function decodeByZlib(
  decode: (packed: Uint8Array, options: ZlibOptions) => Uint8Array,
  packed: Uint8Array,
  { whenCut, expected }: Options,
): { data: Uint8Array; used: number } {
  const options = {
    info: true,
    finishFlush: whenCut,
    chunkSize: Math.min(Math.max(expected, LEAST_RESERVED), MOST_RESERVED),
    maxOutputLength: LARGEST,
  };
  try {
    const { buffer, engine } = decode(packed, options) as unknown as Informed;
    return { data: buffer, used: engine.bytesWritten };
  } catch (error) {
    const isTooLarge = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    throw new DecodeError(isTooLarge ? TOO_LARGE : "they are damaged");
  }
}

/** The options that all its decoders have. */
interface ZlibOptions {
  readonly info: boolean;
  readonly finishFlush: number;
  readonly chunkSize: number;
  readonly maxOutputLength: number;
}

/** The result when `info` is asked for, which the types do not know. */
interface Informed {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

const LEAST_RESERVED = 64 * 1024;
const MOST_RESERVED = 2 ** 30;
