/** What a kernel module says about itself: its section .modinfo. */

import { fromBytes, text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { ElfError, elfSection } from "./elf.ts";

/**
 * The entries of .modinfo in their order, `key=value` as MODULE_INFO() of the kernel's linux/moduleparam.h writes
 * them; a key may come often, and some modules have thousands.
 */
export type ModuleInfo = readonly string[];

/**
 * What the module says. `bytes` is the uncompressed module, `file` its path for the sentence.
 * @throws UserError when it is no module
 */
export function readModuleInfo(file: string, bytes: Uint8Array): ModuleInfo {
  const section = sectionOf(file, bytes);
  if (!section) throw new UserError(`${text(file)} is no kernel module: it has no section .modinfo.`);
  return splitModuleInfo(section);
}

/** The entries in the bytes of a section .modinfo. */
export function splitModuleInfo(section: Uint8Array): ModuleInfo {
  return fromBytes(section).split("\0");
}

/** The values of one key. */
export function moduleInfoValues(info: ModuleInfo, key: string): string[] {
  const start = `${key}=`;
  return info.filter((entry) => entry.startsWith(start)).map((entry) => entry.slice(start.length));
}

function sectionOf(file: string, bytes: Uint8Array): Uint8Array | undefined {
  try {
    return elfSection(bytes, ".modinfo");
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    throw new UserError(
      `${text(file)} is no kernel module: ${error.message}.`,
      "Install the kernel's package again.",
    );
  }
}
