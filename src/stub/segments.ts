/** The segments of an ELF file, as far as linking needs them. */

import { UserError } from "../lib/errors.ts";

/** A PT_LOAD program header (ELF-64 object file format, version 1.5). */
export interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: bigint;
  readonly address: bigint;
  readonly fileSize: bigint;
  readonly memorySize: bigint;
  readonly align: bigint;
}

export const PAGE = 4096;
export const PT_LOAD = 1;
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

/**
 * The PT_LOAD segments in their order. `what` names the file in errors.
 * @throws UserError when it is no ELF file for x86-64, or one whose segments want more than page alignment
 */
export function loadSegments(elf: Uint8Array, what: string): Segment[] {
  const v = view(elf);
  if (elf.length < 64 || v.getUint32(0, false) !== 0x7f454c46 || elf[4] !== 2 || v.getUint16(18, true) !== 62)
    throw new UserError(`${what} is not an ELF file for x86-64.`);
  const segments: Segment[] = [];
  for (let i = 0; i < v.getUint16(56, true); i++) {
    const at = Number(v.getBigUint64(32, true)) + i * v.getUint16(54, true);
    if (v.getUint32(at, true) !== PT_LOAD) continue;
    segments.push({
      type: PT_LOAD,
      flags: v.getUint32(at + 4, true),
      offset: v.getBigUint64(at + 8, true),
      address: v.getBigUint64(at + 16, true),
      fileSize: v.getBigUint64(at + 32, true),
      memorySize: v.getBigUint64(at + 40, true),
      align: v.getBigUint64(at + 48, true),
    });
  }
  if (segments.some((s) => s.align > BigInt(PAGE)))
    throw new UserError(
      `${what} has segments aligned to more than ${PAGE} bytes, which link.ts does not handle.`,
    );
  return segments;
}

/** The address of a section by its name; undefined when the file has none of that name. */
export function sectionAddress(elf: Uint8Array, name: string): bigint | undefined {
  const v = view(elf);
  const headers = Number(v.getBigUint64(40, true));
  const size = v.getUint16(58, true);
  const header = (index: number): number => headers + index * size;
  const names = Number(v.getBigUint64(header(v.getUint16(62, true)) + 24, true));
  for (let i = 0; i < v.getUint16(60, true); i++) {
    const at = names + v.getUint32(header(i), true);
    if (Buffer.from(elf.subarray(at, at + name.length + 1)).toString("latin1") === `${name}\0`)
      return v.getBigUint64(header(i) + 16, true);
  }
  return undefined;
}

export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function pageUp(n: number): number {
  return Math.ceil(n / PAGE) * PAGE;
}
