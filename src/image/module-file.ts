/**
 * A kernel module in a root: what it says about itself, and its contents. Of one that is a plain file on this
 * machine no more is read than that; the rest is, when the image is written.
 */

import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { View } from "../lib/bytes.ts";
import { decompress } from "../modules/decompress.ts";
import type { FileData } from "./cpio.ts";
import type { FileTree } from "./file-tree.ts";
import { readModuleInfo, splitModuleInfo, type ModuleInfo } from "./modinfo.ts";
import { hostPath, RootTree } from "./root-tree.ts";

/** A module, never compressed. */
export interface ModuleFile {
  readonly data: FileData;
  readonly info: ModuleInfo;
}

/**
 * The module at `path`; undefined when no file is there.
 * @throws UserError when it is damaged or no module
 */
export function readModuleFile(root: FileTree, path: string): ModuleFile | undefined {
  const found = root.resolve(path);
  if (found?.type !== "file") return undefined;
  if (root instanceof RootTree) {
    const file = root.outside(found.path);
    const info = readInfoOnly(file, found.size);
    if (info) return { data: { file, size: found.size }, info };
  }
  const bytes = root.read(path);
  if (!bytes) return undefined;
  const data = decompress(path, bytes);
  return { data, info: readModuleInfo(path, data) };
}

/** The contents compressed by zstd; the same bytes each time. */
export function packModule(data: FileData): Uint8Array {
  const bytes = data instanceof Uint8Array ? data : readFileSync(hostPath(data.file));
  return Bun.zstdCompressSync(new Uint8Array(bytes), { level: PACKING_LEVEL });
}

/** Higher levels save little more, and the builder's time is somebody's, too. */
const PACKING_LEVEL = 6;

// Elf64_Ehdr and Elf64_Shdr of elf(5).
const HEADER = 64;
const SECTION = 64;
/** More than any module has. */
const LARGEST_INFO = 1 << 20;

// The section .modinfo of an ELF file of 64 bits, little-endian; undefined for anything else, and when in doubt.
function readInfoOnly(file: string, size: number): ModuleInfo | undefined {
  if (size < HEADER) return undefined;
  const fd = openSync(hostPath(file), "r");
  try {
    const part = (offset: number, length: number): View => {
      if (offset + length > size || length > LARGEST_INFO) throw new RangeError("outside of the file");
      const bytes = new Uint8Array(length);
      if (readSync(fd, bytes, 0, length, offset) < length) throw new RangeError("outside of the file");
      return new View(bytes);
    };
    const header = part(0, HEADER);
    if (!header.has(0, "\x7fELF\x02\x01") || header.u16(58) !== SECTION) return undefined;
    const count = header.u16(60);
    const sections = part(Number(header.u64(40)), count * SECTION);
    const place = (index: number): [offset: number, length: number] => [
      Number(sections.u64(index * SECTION + 24)),
      Number(sections.u64(index * SECTION + 32)),
    ];
    const names = part(...place(header.u16(62)));
    for (let index = 0; index < count; index++)
      if (names.has(sections.u32(index * SECTION), ".modinfo\0")) {
        const [offset, length] = place(index);
        return splitModuleInfo(part(offset, length).slice(0, length));
      }
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
}
