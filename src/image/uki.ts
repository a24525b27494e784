/**
 * Unified kernel images: kernel, initramfs and command line in one EFI program, around systemd's stub.
 *
 * Follows the UAPI specification "Unified Kernel Image" and ukify(1).
 */

import { fromBytes, text, toBytes } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { parseKernelImage, type KernelImage } from "./bzimage.ts";
import {
  MACHINE_X86_64,
  parsePe,
  PeError,
  peSection,
  SECTION_FLAGS,
  SUBSYSTEM_EFI_APPLICATION,
  type PeImage,
} from "./pe.ts";
import { withSection, writePe, type NewSection } from "./pe-writer.ts";

/** A file that goes into a UKI, with its name for sentences. */
export interface UkiInput {
  readonly path: string;
  readonly data: Uint8Array;
}

/** What a UKI is made of. Texts are byte strings. */
export interface UkiParts {
  readonly stub: UkiInput;
  readonly linux: UkiInput;
  /** In the order in which the kernel unpacks them. */
  readonly initrds: readonly UkiInput[];
  /** An uncompressed archive with microcode. It gets a section of its own if the stub knows that, else the first place in .initrd. */
  readonly microcode?: UkiInput;
  /** The kernel command line; without one the stub takes what the boot loader or the firmware passes. */
  readonly commandLine?: string;
  /** The contents of os-release(5), by which boot menus name the entry. */
  readonly osRelease?: string;
  /** The kernel's release; what the kernel's file says when left out. */
  readonly uname?: string;
  /** A picture to be shown, a Windows bitmap. */
  readonly splash?: UkiInput;
}

/** A finished UKI. */
export interface Uki {
  readonly file: Uint8Array;
  /** Its sections, those of the stub included, by what they hold in bytes. */
  readonly sections: readonly { readonly name: string; readonly size: number }[];
}

/**
 * Makes the UKI. The bytes depend on nothing but the parts and `timestamp`, seconds since 1970.
 * @throws UserError for parts that can't be one
 */
export function makeUki(parts: UkiParts, timestamp: number): Uki {
  const kernel = attempt(`${text(parts.linux.path)} can't be the kernel of a UKI`, () =>
    parseKernelImage(parts.linux.data),
  );
  const stub = readStub(parts.stub);
  checkTexts(parts, kernel);
  const { splash } = parts;
  if (splash && fromBytes(splash.data.subarray(0, 2)) !== "BM")
    throw new UserError(`The splash image ${text(splash.path)} is no Windows bitmap (.bmp).`);

  const doing = `The UKI can't be put together on ${text(parts.stub.path)}`;
  const image = attempt(doing, () => addSections(stub, sectionsOf(parts, kernel, stub), parts.linux, kernel));
  return {
    file: attempt(doing, () => writePe(image, timestamp)),
    sections: image.sections.map(({ name, data }) => ({ name, size: data.length })),
  };
}

function attempt<T>(failure: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof PeError ? new UserError(`${failure}: ${error.message}.`) : error;
  }
}

function readStub({ path, data }: UkiInput): PeImage {
  const failure = `${text(path)} can't be the stub of a UKI`;
  const stub = attempt(failure, () => parsePe(data));
  const wrong =
    stub.machine !== MACHINE_X86_64 || stub.subsystem !== SUBSYSTEM_EFI_APPLICATION
      ? "it is no EFI application for x86-64"
      : peSection(stub, ".linux")
        ? "it has a kernel already"
        : stub.isSigned
          ? "it is signed, and its signature would be void"
          : !knows(data, ".linux")
            ? "it does not look for a kernel behind it"
            : undefined;
  if (wrong !== undefined)
    throw new UserError(`${failure}: ${wrong}.`, "It is usually systemd's linuxx64.efi.stub.");
  return stub;
}

// The stub searches its own table of sections for the names that it has among its constants.
function knows(stub: Uint8Array, section: string): boolean {
  return Buffer.from(stub.buffer, stub.byteOffset, stub.length).includes(`${section}\0`);
}

function checkTexts({ commandLine = "", osRelease = "", uname = "" }: UkiParts, kernel: KernelImage): void {
  for (const [noun, words] of [
    ["command line", commandLine],
    ["os-release", osRelease],
    ["release of the kernel", uname],
  ] as const)
    if (words.includes("\0"))
      throw new UserError(`The ${noun} holds a NUL character, behind which nothing would be read.`);
  if (commandLine.length > kernel.longestCommandLine)
    throw new UserError(
      `The command line has ${commandLine.length} bytes, and this kernel reads ${kernel.longestCommandLine}.`,
    );
}

function sectionsOf(parts: UkiParts, kernel: KernelImage, stub: PeImage): NewSection[] {
  const microcode = parts.microcode ? [parts.microcode] : [];
  const apart = knows(parts.stub.data, ".ucode");
  const initrds = apart ? parts.initrds : [...microcode, ...parts.initrds];
  const uname = parts.uname ?? kernel.release;
  const sections: readonly (readonly [name: string, data: Uint8Array | undefined])[] = [
    [".osrel", bytesOf(parts.osRelease)],
    [".cmdline", bytesOf(parts.commandLine)],
    [".uname", bytesOf(uname)],
    [".splash", parts.splash?.data],
    [".sbat", mergedSbat(stub, kernel.program)],
    [".ucode", apart ? parts.microcode?.data : undefined],
    [".initrd", initrds.length > 0 ? joinArchives(initrds.map(({ data }) => data)) : undefined],
  ];
  return sections.flatMap(([name, data]) =>
    data === undefined
      ? []
      : [{ name, data, characteristics: SECTION_FLAGS.initializedData | SECTION_FLAGS.read }],
  );
}

function bytesOf(words: string | undefined): Uint8Array | undefined {
  return words === undefined ? undefined : toBytes(words);
}

// A new section takes the place of the stub's of the same name. The kernel is last, with the memory that it takes
// when it is loaded: old stubs run it where it lies.
function addSections(
  stub: PeImage,
  added: readonly NewSection[],
  linux: UkiInput,
  kernel: KernelImage,
): PeImage {
  const names = new Set(added.map(({ name }) => name));
  const kept = stub.sections.filter(({ name }) => !names.has(name));
  const characteristics = SECTION_FLAGS.code | SECTION_FLAGS.read;
  const { sizeOfImage } = kernel.program;
  return [
    ...added,
    { name: ".linux", data: linux.data, virtualSize: sizeOfImage, characteristics },
  ].reduce<PeImage>((image, section) => withSection(image, section), { ...stub, sections: kept });
}

/**
 * Archives one behind the other, each at a multiple of four bytes, as the kernel wants them
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
export function joinArchives(archives: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(archives.flatMap((archive) => [archive, new Uint8Array(-archive.length & 3)]));
}

// Revocation lists name the stub or the kernel, so the lines of both count (shim's SBAT.md). Undefined when the
// stub's alone will do.
function mergedSbat(stub: PeImage, kernel: PeImage): Uint8Array | undefined {
  const [ours, theirs] = [sbatLines(stub), sbatLines(kernel)];
  const missing = theirs.filter((line) => !line.startsWith("sbat,") && !ours.includes(line));
  if (missing.length === 0) return undefined;
  const first = ours.length > 0 ? ours : theirs.filter((line) => line.startsWith("sbat,"));
  return toBytes([...first, ...missing, ""].join("\n"));
}

function sbatLines(image: PeImage): string[] {
  const [lines = ""] = fromBytes(peSection(image, ".sbat") ?? new Uint8Array(0)).split("\0");
  return lines.split(/\r?\n/).filter((line) => line !== "");
}
