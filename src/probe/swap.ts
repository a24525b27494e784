/**
 * Swap, and swap that holds a hibernated system ("swsuspend").
 *
 * Layout: kernel, include/linux/swap.h (union swap_header). The signature ends the first page, so
 * its place tells the page size of the machine that made it. Hibernation replaces the signature.
 *
 * Details: `page_bytes`.
 */

import type { View } from "../lib/bytes.ts";
import { labelField, uuidField } from "./fields.ts";
import type { At, Format, Found } from "./format.ts";

const minimum_bytes = 10 * 4096;
const page_sizes = [4096, 8192, 16384, 32768, 65536];
const windows = page_sizes.map((page_bytes) => ({ offset: page_bytes - 10, length: 10 }));

// TuxOnIce: its own header at the start of the device, with a common swap signature left behind.
const tuxonice = "\xed\xc3\x02\xe9\x98\x56\xe5\x0c";

const swap_signatures: Readonly<Record<string, string>> = { "SWAP-SPACE": "0", SWAPSPACE2: "1" };

const suspend_signatures: Readonly<Record<string, string>> = {
  S1SUSPEND: "s1suspend",
  S2SUSPEND: "s2suspend",
  ULSUSPEND: "ulsuspend",
  LINHIB0001: "linhib0001",
};

export const swsuspend: Format = {
  name: "swsuspend",
  windows: [{ offset: 0, length: 4096 }, ...windows],
  minimum_bytes,
  parse(at) {
    const signature = at(0, 8)?.has(0, tuxonice)
      ? { version: "tuxonice", page_bytes: 4096 }
      : findSignature(at, suspend_signatures);
    return signature && describe("swsuspend", signature, at);
  },
};

export const swap: Format = {
  name: "swap",
  windows: [{ offset: 0, length: 4096 }, ...windows],
  minimum_bytes,
  parse(at) {
    const signature = findSignature(at, swap_signatures);
    if (signature === undefined || at(0, 8)?.has(0, tuxonice)) return undefined;
    return describe("swap", signature, at);
  },
};

interface Signature {
  readonly version: string;
  readonly page_bytes: number;
}

function findSignature(at: At, signatures: Readonly<Record<string, string>>): Signature | undefined {
  for (const page_bytes of page_sizes) {
    const tail = at(page_bytes - 10, 10);
    const known = Object.entries(signatures).find(([signature]) => tail?.has(0, signature));
    if (known !== undefined) return { version: known[1], page_bytes };
  }
  return undefined;
}

function describe(type: string, { version, page_bytes }: Signature, at: At): Found | undefined {
  const found: Found = { type, usage: "other", version, details: { page_bytes: `${page_bytes}` } };
  if (version === "0") return found;
  const header = at(1024, 512);
  if (header === undefined) return undefined;
  // Version 1 of swap in either byte order; a swap space without pages is none.
  if (version === "1" && (!(header.u32(0) === 1 || header.u32be(0) === 1) || header.u32(4) === 0))
    return undefined;
  return isNamed(header) ? { ...found, ...uuidField(header, 12), ...labelField(header, 28, 16) } : found;
}

// Old versions had a list of bad pages where UUID and label are now: zero padding behind tells.
function isNamed(header: View): boolean {
  return header.u32(44 + 4 * 32) === 0 && header.u32(44 + 4 * 33) === 0;
}
