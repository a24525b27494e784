/** What all decoders of compressed initramfs data have in common. */

/** What one run of compressed data holds. */
export interface Unpacked {
  readonly data: Uint8Array;
  /** Where it ends in the image, behind its last byte. */
  readonly end: number;
  /** What is wrong with it, as half a sentence about "them"; `data` is then what could be had all the same. */
  readonly fault?: string;
}

/**
 * Unpacks the data that begin at `start` of an image: as many as the kernel's decoder takes at once. Damaged data are
 * no exception but have a fault, and end where the image does.
 * @throws UserError when the program that unpacks them is not installed
 */
export type Decoder = (image: Uint8Array, start: number) => Unpacked;

/** What is wrong with compressed data, as half a sentence about "them". */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/** Most bytes that are unpacked of one run: a small file can claim to hold anything. */
export const LARGEST = 2 ** 31;

export const CUT_SHORT = "they are cut short";
export const TOO_LARGE = `they hold more than ${LARGEST / 2 ** 30} GiB`;
export const WRONG_CHECKSUM = "they do not agree with their checksum";

/**
 * The most that can be had of `length` damaged bytes, to some thousand: what the longest front part gives that `unpack`
 * takes. It must take one that is cut short anywhere, and throw when there is something wrong in it.
 */
export function salvage(length: number, unpack: (length: number) => Uint8Array): Uint8Array {
  let best: Uint8Array = new Uint8Array(0);
  // So many steps can be unpacked, and so many can't.
  let good = 0;
  let bad = Math.ceil(length / STEP);
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    try {
      best = unpack(middle * STEP);
      good = middle;
    } catch {
      bad = middle;
    }
  }
  return best;
}

const STEP = 4096;
