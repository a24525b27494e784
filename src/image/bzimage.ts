/** The kernel's file as boot loaders see it: a bzImage that is an EFI program, too (Documentation/arch/x86/boot.rst). */

import { View } from "../lib/bytes.ts";
import { MACHINE_X86_64, parsePe, PeError, type PeImage } from "./pe.ts";

/** A kernel that a firmware can start. */
export interface KernelImage {
  /** As uname -r says it; undefined when the file does not tell. */
  readonly release: string | undefined;
  /** How many bytes of a command line it takes. */
  readonly longestCommandLine: number;
  readonly program: PeImage;
}

/** Reads a kernel's file. @throws PeError when it is none, or none that a firmware can start; a half sentence */
export function parseKernelImage(bytes: Uint8Array): KernelImage {
  const view = new View(bytes);
  if (!view.has(BOOT_FLAG, "\x55\xaa") || !view.has(MAGIC, "HdrS"))
    throw new PeError("it is no bzImage, the form of a kernel for x86");
  if (!view.has(0, "MZ"))
    throw new PeError("it was built without CONFIG_EFI_STUB, so no firmware can start it");
  const program = parsePe(bytes);
  if (program.machine !== MACHINE_X86_64) throw new PeError("it is not for x86-64");
  // The program's headers end behind these fields.
  return { release: releaseOf(view), longestCommandLine: view.u32(COMMAND_LINE_SIZE), program };
}

// "6.1.0-9-amd64 (debian-kernel@lists.debian.org) #1 SMP …", from a pointer that leaves out the boot sector.
function releaseOf(view: View): string | undefined {
  const at = view.u16(VERSION_POINTER);
  if (at === 0 || SETUP + at >= view.length) return undefined;
  const version = view.string(SETUP + at, Math.min(LONGEST_VERSION, view.length - SETUP - at));
  return /^[!-~]+(?= )/.exec(version)?.[0];
}

const BOOT_FLAG = 0x1fe;
const SETUP = 0x200;
const MAGIC = 0x202;
const VERSION_POINTER = 0x20e;
const COMMAND_LINE_SIZE = 0x238;
const LONGEST_VERSION = 128;
