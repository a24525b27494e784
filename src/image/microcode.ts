/**
 * Early microcode: an archive in front of an image, out of which the kernel updates the processors before it does
 * anything else (Documentation/arch/x86/microcode.rst).
 */

import { text } from "../lib/bytes.ts";
import { describe, UserError } from "../lib/errors.ts";
import { decompress } from "../modules/decompress.ts";
import type { CpioEntry } from "./cpio.ts";
import { parseCpuinfo, type Processor } from "./cpuinfo.ts";
import type { FileTree } from "./file-tree.ts";
import { MicrocodeError, readAmdMicrocode, readIntelMicrocode } from "./microcode-files.ts";

/** What goes in front of an image. */
export interface EarlyMicrocode {
  /**
   * For an archive of its own, the first of all and not compressed. None when there is no microcode. As
   * writeCpio() pads an archive to 512 bytes, whatever follows it begins where the kernel looks for it.
   */
  readonly entries: readonly CpioEntry[];
  /** Sentences about what could not be had. */
  readonly notes: readonly string[];
}

/**
 * Collects microcode from `root`: for the processors that `cpuinfo`, the text of /proc/cpuinfo, describes, or for
 * all that have any. A damaged file is left out with a note, and so is what is not installed, but in a virtual
 * machine, where nothing comes of it.
 */
export function microcodeArchive(root: FileTree, which: "host" | "all", cpuinfo: string): EarlyMicrocode {
  const { processors, isVirtual } = parseCpuinfo(cpuinfo);
  const files: CpioEntry[] = [];
  const notes: string[] = [];
  for (const vendor of VENDORS) {
    const wanted = which === "all" ? undefined : processors.filter((one) => one.vendor === vendor.name);
    if (wanted?.length === 0) continue;
    const found = collect(root, vendor, wanted);
    notes.push(...found.notes);
    if (found.data.length > 0) files.push(fileEntry(vendor, found.data));
    else if (wanted && !isVirtual)
      notes.push(`There is no microcode for this processor: ${lack(root, vendor)}.`);
  }
  if (which === "all" && files.length === 0)
    notes.push(`There is no microcode: ${VENDORS.map((vendor) => lack(root, vendor)).join(", and ")}.`);
  return { entries: files.length > 0 ? [...DIRECTORIES, ...files] : [], notes };
}

interface Vendor {
  /** As CPUID and the kernel's file name have it. */
  readonly name: string;
  readonly directory: string;
  readonly package: string;
  /** What its files are called, uncompressed. */
  readonly files: RegExp;
  /** The beginning of the name of those for a processor. */
  readonly prefix: (processor: Processor) => string;
  readonly read: (bytes: Uint8Array) => Set<number>;
}

const VENDORS: readonly Vendor[] = [
  {
    name: "GenuineIntel",
    directory: "intel-ucode",
    package: "intel-microcode",
    // Debian marks those that only the early loader may take by a suffix.
    files: /^[0-9a-f]{2}-[0-9a-f]{2}-[0-9a-f]{2}(\.initramfs)?$/,
    prefix: ({ family, model, stepping }) => [family, model, stepping].map(hex).join("-"),
    read: readIntelMicrocode,
  },
  {
    name: "AuthenticAMD",
    directory: "amd-ucode",
    package: "amd64-microcode",
    files: /^microcode_amd(_fam[0-9a-f]{2}h)?\.bin$/,
    prefix: ({ family }) => (family < 0x15 ? "microcode_amd.bin" : `microcode_amd_fam${hex(family)}h.bin`),
    read: readAmdMicrocode,
  },
];

const DIRECTORIES: readonly CpioEntry[] = ["kernel", "kernel/x86", "kernel/x86/microcode"].map((path) => ({
  type: "directory",
  path,
  mode: 0o755,
}));

// The kernel hands the data to the processor where they lie, and Intel's must lie at a multiple of 16.
function fileEntry({ name }: Vendor, data: Uint8Array): CpioEntry {
  return { type: "file", path: `kernel/x86/microcode/${name}.bin`, mode: 0o644, data, align: 16 };
}

// All files one behind the other, for these processors or for all.
function collect(
  root: FileTree,
  vendor: Vendor,
  processors: readonly Processor[] | undefined,
): { data: Uint8Array; notes: string[] } {
  const notes: string[] = [];
  const parts: Uint8Array[] = [];
  for (const path of filesOf(root, vendor, processors)) {
    const found = readFile(root, path, vendor);
    if (typeof found === "string") notes.push(`${text(root.outside(path))} is left out, as ${found}.`);
    else if (processors?.some(({ signature }) => found.signatures.has(signature)) ?? true)
      parts.push(found.data);
  }
  return { data: Buffer.concat(parts), notes };
}

// Sorted by name: AMD's oldest families come first, and the kernel stops at a patch that is too long for those.
function filesOf(root: FileTree, vendor: Vendor, processors: readonly Processor[] | undefined): string[] {
  const directory = directoryOf(root, vendor);
  const byName = new Map<string, string>();
  for (const file of root.list(directory)) {
    const name = file.replace(/\.(?:xz|zst)$/, "");
    const isWanted = processors?.some((processor) => name.startsWith(vendor.prefix(processor))) ?? true;
    if (isWanted && vendor.files.test(name) && !byName.has(name)) byName.set(name, `${directory}/${file}`);
  }
  return [...byName.values()];
}

function directoryOf(root: FileTree, { directory }: Vendor): string {
  const places = ["/lib/firmware", "/usr/lib/firmware"].map((place) => `${place}/${directory}`);
  return places.find((place) => root.resolve(place)?.type === "directory") ?? places[0] ?? "";
}

// The file's data and the processors that they are for, or why it can't be taken.
function readFile(
  root: FileTree,
  path: string,
  { read }: Vendor,
): { data: Uint8Array; signatures: Set<number> } | string {
  const bytes = root.read(path);
  if (!bytes) return "it is no file";
  try {
    const data = /\.(?:xz|zst)$/.test(path) ? decompress(path, bytes) : bytes;
    return { data, signatures: read(data) };
  } catch (error) {
    if (error instanceof MicrocodeError) return error.message;
    if (error instanceof UserError) return `it is damaged: ${describe(error)}`;
    throw error;
  }
}

function lack(root: FileTree, vendor: Vendor): string {
  const directory = text(root.outside(directoryOf(root, vendor)));
  const isInstalled = filesOf(root, vendor, undefined).length > 0;
  return isInstalled
    ? `${directory} has none for it`
    : `the package ${vendor.package} is not installed (${directory})`;
}

function hex(value: number): string {
  return value.toString(16).padStart(2, "0");
}
