/** exFAT. Layout: Microsoft, "exFAT file system specification". The label is an entry of the root directory. */

import type { View } from "../lib/bytes.ts";
import { formatFatSerial, isBlank } from "../lib/uuid.ts";
import { labelOf, utf16ToUtf8 } from "./fields.ts";
import type { At, Format } from "./format.ts";

export const exfat: Format = {
  name: "exfat",
  windows: [{ offset: 0, length: 4096 }],
  parse(at) {
    const boot = at(0, 512);
    if (boot === undefined || !isExfat(boot)) return undefined;
    const serial = boot.slice(0x64, 4);
    return {
      type: "exfat",
      usage: "filesystem",
      ...(isBlank(serial) ? {} : { uuid: formatFatSerial(serial) }),
      ...labelOf(findLabel(at, boot) ?? ""),
      version: `${boot.u8(0x69)}.${boot.u8(0x68)}`,
    };
  },
};

/** True for the boot sector (512 bytes) of an exFAT: its name, and sizes within what the specification allows. */
export function isExfat(boot: View): boolean {
  if (!boot.has(3, "EXFAT   ")) return false;
  const [sector_log, cluster_log] = [boot.u8(0x6c), boot.u8(0x6d)];
  return sector_log >= 9 && sector_log <= 12 && sector_log + cluster_log <= 25;
}

const entry_bytes = 32;
const label_entry = 0x83;
const end_entry = 0x00;

// How much of a directory is worth reading for a label that nearly always is its first entry.
const search_bytes = 64 * 1024;
const search_clusters = 8;

// Cluster numbers start at 2.
function findLabel(at: At, boot: View): string | undefined {
  const sector_bytes = 2 ** boot.u8(0x6c);
  const cluster_bytes = sector_bytes * 2 ** boot.u8(0x6d);
  const length = Math.min(cluster_bytes, search_bytes);
  let cluster = boot.u32(0x60);
  for (let step = 0; step < search_clusters && cluster >= 2 && cluster <= 0xffffff6; step++) {
    const next = at(boot.u32(0x50) * sector_bytes + 4 * cluster, 4);
    const directory = at(boot.u32(0x58) * sector_bytes + (cluster - 2) * cluster_bytes, length);
    if (directory === undefined) return undefined;
    for (let entry = 0; entry < length; entry += entry_bytes) {
      const type = directory.u8(entry);
      if (type === end_entry) return undefined;
      if (type === label_entry) return labelIn(directory, entry);
    }
    if (next === undefined) return undefined;
    cluster = next.u32(0);
  }
  return undefined;
}

// The number of characters (at most eleven), then the characters.
function labelIn(directory: View, entry: number): string {
  const length = Math.min(2 * directory.u8(entry + 1), 22);
  return utf16ToUtf8(directory.slice(entry + 2, length), "little");
}
