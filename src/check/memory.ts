/** How much memory a machine needs to boot from an image. */

/** The bytes of an image: its file's, and those that it unpacks to. */
export interface ImageSize {
  readonly file: number;
  readonly unpacked: number;
}

/** In bytes: while the kernel unpacks an image, both it and what comes of it are in memory. */
export function memoryNeeded({ file, unpacked }: ImageSize): number {
  return file + unpacked + KERNEL_AND_RUNTIME;
}

/**
 * Seen in QEMU with Debian's kernel: an image of 63 MB boots with 256 MB and does not with 192 (README, "Figures"); one of
 * 135 MB for remote unlock on any machine boots with 369 MB and does not with 335.
 */
export const KERNEL_AND_RUNTIME = 96_000_000;
