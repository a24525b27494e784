/** What may stand in an image where neither an archive nor compressed data do, which the kernel would call junk. */

import { View } from "../../lib/bytes.ts";

/** What the bytes at `at` seem to be, as half a sentence about "what follows". */
export function strangerAt(image: Uint8Array, at: number): string {
  const view = new View(image);
  return STRANGERS.find(({ magic }) => view.has(at, magic))?.is ?? "neither an archive nor compressed data";
}

const STRANGERS: readonly { readonly magic: string; readonly is: string }[] = [
  {
    magic: "\x04\x22\x4d\x18",
    is: "lz4 data in a frame that the kernel does not know (lz4 -l makes the right one)",
  },
  { magic: "\xc7\x71", is: "an archive in an old format of cpio (cpio -H newc makes the right one)" },
  { magic: "MZ", is: "a kernel or another program for EFI" },
  { magic: "\x7fELF", is: "a program" },
  { magic: "\x27\x05\x19\x56", is: "an image for U-Boot, with the initramfs 64 bytes behind" },
  { magic: "hsqs", is: "a squashfs filesystem" },
];
