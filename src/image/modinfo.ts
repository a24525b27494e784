/** What a kernel module says about itself: its section .modinfo. */

import { fromBytes, text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { ElfError, elfSection } from "./elf.ts";

/** One `key=value` of .modinfo, as MODULE_INFO() of the kernel's linux/moduleparam.h writes it. */
export interface ModuleInfo {
  readonly key: string;
  readonly value: string;
}

/**
 * All entries of .modinfo, in their order; a key may come often. `bytes` is the uncompressed module, `file`
 * its path for the sentence.
 * @throws UserError when it is no module
 */
export function readModuleInfo(file: string, bytes: Uint8Array): ModuleInfo[] {
  const section = sectionOf(file, bytes);
  if (!section) throw new UserError(`${text(file)} is no kernel module: it has no section .modinfo.`);
  return fromBytes(section)
    .split("\0")
    .filter((entry) => entry.includes("="))
    .map((entry) => {
      const equals = entry.indexOf("=");
      return { key: entry.slice(0, equals), value: entry.slice(equals + 1) };
    });
}

/** The values of one key. */
export function moduleInfoValues(info: readonly ModuleInfo[], key: string): string[] {
  return info.filter((entry) => entry.key === key).map(({ value }) => value);
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
