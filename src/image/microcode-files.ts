/**
 * Files of processor microcode, checked as the kernel checks them: where it finds a fault, it reads no further,
 * and what stands behind a damaged file would be lost.
 */

import { View } from "../lib/bytes.ts";

/** A damaged file of microcode; the message is a half sentence. */
export class MicrocodeError extends Error {
  override readonly name = "MicrocodeError";
}

/**
 * The processors, by their signature (CPUID leaf 1, EAX), that a file of Intel's updates is for: one update or
 * several, one behind the other (Intel SDM, volume 3A, "Microcode Update Facilities").
 * @throws MicrocodeError
 */
export function readIntelMicrocode(bytes: Uint8Array): Set<number> {
  if (bytes.length === 0) throw new MicrocodeError("it is empty");
  const view = new View(bytes);
  const signatures = new Set<number>();
  for (let at = 0; at < bytes.length;) {
    if (at + INTEL_HEADER > bytes.length) throw new MicrocodeError("it is cut short");
    if (view.u32(at) !== 1 || view.u32(at + 20) !== 1)
      throw new MicrocodeError("it has an update of an unknown kind");
    const dataSize = view.u32(at + 28) || INTEL_USUAL_DATA;
    const totalSize = view.u32(at + 28) === 0 ? INTEL_HEADER + INTEL_USUAL_DATA : view.u32(at + 32);
    const tableAt = INTEL_HEADER + dataSize;
    if (totalSize % 1024 !== 0 || dataSize % 4 !== 0 || tableAt > totalSize)
      throw new MicrocodeError("the sizes in it do not agree");
    if (at + totalSize > bytes.length) throw new MicrocodeError("it is cut short");
    if (sumOf(view, at, tableAt) !== 0) throw new MicrocodeError("its checksum is wrong");
    signatures.add(view.u32(at + 12));
    if (tableAt < totalSize)
      for (const signature of readExtendedTable(view, at, tableAt, totalSize)) signatures.add(signature);
    at += totalSize;
  }
  return signatures;
}

/**
 * The processors, by their signature, that a file of AMD's containers has patches for: each container is a table
 * of which processors are alike, and the patches (arch/x86/kernel/cpu/microcode/amd.c).
 * @throws MicrocodeError
 */
export function readAmdMicrocode(bytes: Uint8Array): Set<number> {
  const view = new View(bytes);
  const signatures = new Set<number>();
  let at = 0;
  do {
    if (at + AMD_CONTAINER > bytes.length) throw new MicrocodeError("it is cut short");
    if (view.u32(at) !== AMD_MAGIC) throw new MicrocodeError("it is no container of microcode");
    const table = { start: at + AMD_CONTAINER, size: view.u32(at + 8) };
    if (view.u32(at + 4) !== 0 || table.size < AMD_ENTRY || table.size % AMD_ENTRY !== 0)
      throw new MicrocodeError("it does not begin with a table of processors");
    at = table.start + table.size;
    if (at > bytes.length) throw new MicrocodeError("it is cut short");
    const patches = new Set<number>();
    while (at + AMD_SECTION <= bytes.length && view.u32(at) !== AMD_MAGIC) {
      const size = view.u32(at + 4);
      if (view.u32(at) !== 1 || size < AMD_PATCH_HEADER)
        throw new MicrocodeError("it has a patch of an unknown kind");
      if (at + AMD_SECTION + size > bytes.length) throw new MicrocodeError("it is cut short");
      patches.add(view.u16(at + AMD_SECTION + AMD_PATCH_PROCESSOR));
      at += AMD_SECTION + size;
    }
    for (let entry = table.start; entry < table.start + table.size; entry += AMD_ENTRY)
      if (view.u32(entry) !== 0 && patches.has(view.u16(entry + 12))) signatures.add(view.u32(entry));
  } while (at < bytes.length);
  return signatures;
}

const INTEL_HEADER = 48;
/** What a data size of 0 means. */
const INTEL_USUAL_DATA = 2000;
const INTEL_TABLE_HEADER = 20;
const INTEL_TABLE_ENTRY = 12;

const AMD_MAGIC = 0x00414d44;
const AMD_CONTAINER = 12;
/** An entry of the table of processors: its signature at 0, and what its patches are marked with at 12. */
const AMD_ENTRY = 16;
const AMD_SECTION = 8;
const AMD_PATCH_HEADER = 64;
/** Where a patch's mark stands. */
const AMD_PATCH_PROCESSOR = 24;

// Other processors that an update is for, too. Each entry's own checksum stands for an update with its signature.
function readExtendedTable(view: View, update: number, tableAt: number, totalSize: number): number[] {
  const start = update + tableAt;
  const size = totalSize - tableAt;
  if (size < INTEL_TABLE_HEADER || size !== INTEL_TABLE_HEADER + INTEL_TABLE_ENTRY * view.u32(start))
    throw new MicrocodeError("the sizes in it do not agree");
  const identity = (at: number) => view.u32(at) + view.u32(at + 4) + view.u32(at + 8);
  const own = view.u32(update + 12) + view.u32(update + 24) + view.u32(update + 16);
  if (sumOf(view, start, size) !== 0) throw new MicrocodeError("the checksum of its table is wrong");
  const signatures: number[] = [];
  for (let at = start + INTEL_TABLE_HEADER; at < start + size; at += INTEL_TABLE_ENTRY) {
    if ((identity(at) - own) % 2 ** 32 !== 0) throw new MicrocodeError("a checksum in its table is wrong");
    signatures.push(view.u32(at));
  }
  return signatures;
}

// All 32-bit words added; 0 when their checksum is right.
function sumOf(view: View, start: number, length: number): number {
  let sum = 0;
  for (let at = start; at < start + length; at += 4) sum = (sum + view.u32(at)) | 0;
  return sum;
}
