/** `rdinit uki`: a kernel, its images and its command line in one EFI program. */

import { readFileSync, statSync, writeSync } from "node:fs";
import { release as runningRelease } from "node:os";
import { readImage } from "../image/archive.ts";
import { ArchiveTree } from "../image/archive-tree.ts";
import { replaceFile } from "../image/atomic.ts";
import { exposure, privateFiles } from "../image/exposure.ts";
import { hostPath } from "../image/root-tree.ts";
import { signProgram, type SigningKey } from "../image/sign.ts";
import { makeUki, type UkiInput, type UkiParts } from "../image/uki.ts";
import { fromBytes, text } from "../lib/bytes.ts";
import { describe, UserError } from "../lib/errors.ts";
import { sourceDate } from "./build-host.ts";
import type { Call, Command, Option } from "./command.ts";

/** systemd's stub, where its packages put it. */
const STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";

// The names are those of ukify(1).
const OPTIONS: readonly Option[] = [
  {
    name: "output",
    short: "o",
    value: "FILE",
    meaning: "write the EFI program there; an older one is replaced when the new one is whole",
  },
  {
    name: "linux",
    short: "l",
    value: "FILE",
    meaning: "the kernel, a bzImage (default: /boot/vmlinuz-VERSION of the running kernel)",
  },
  {
    name: "initrd",
    short: "i",
    value: "FILE",
    meaning: "an initramfs; may be given often, and the kernel unpacks them in this order",
  },
  {
    name: "microcode",
    value: "FILE",
    meaning: "an uncompressed archive with processor microcode, which comes before all images",
  },
  {
    name: "cmdline",
    value: "WORDS|@FILE",
    meaning:
      "the kernel command line, for which a boot loader may pass another, but not under Secure Boot; without one, what it passes is always taken",
  },
  {
    name: "os-release",
    value: "TEXT|@FILE",
    meaning: "what boot menus show (default: @/etc/os-release, else @/usr/lib/os-release)",
  },
  { name: "uname", value: "RELEASE", meaning: "the kernel's release (default: what its file says)" },
  { name: "splash", value: "FILE", meaning: "a picture to show at the start (.bmp)" },
  { name: "stub", value: "FILE", meaning: `the program around it all (default: ${STUB})` },
  { name: "secureboot-private-key", value: "FILE", meaning: "sign for Secure Boot by sbsign with this key" },
  {
    name: "secureboot-certificate",
    value: "FILE",
    meaning: "the key's certificate, which the firmware knows",
  },
  { name: "verbose", short: "v", meaning: "list the sections of the program" },
];

export const ukiCommand: Command = {
  name: "uki",
  operands: "-o FILE",
  operandCount: [0, 0],
  summary: "makes one EFI program of a kernel, images and a command line",
  options: OPTIONS,
  run: runUki,
};

async function runUki(call: Call): Promise<number> {
  const { terminal } = call;
  const output = call.value("output");
  if (output === undefined)
    throw new UserError("There is no place to write the EFI program to.", "Say --output FILE.");
  const key = signingKey(call);
  terminal.progress(`rdinit uki: making ${text(output)}`);
  const parts = readParts(call);
  const uki = makeUki(parts, sourceDate());
  const file = key ? await signProgram(uki.file, key) : uki.file;
  await replaceFile(output, "EFI program", (fd) => {
    for (let done = 0; done < file.length;) done += writeSync(fd, file, done);
  });
  terminal.progress("");
  for (const note of exposure(output, secretsOf(parts))) terminal.say(`rdinit uki: ${note}`);
  if (call.has("verbose"))
    for (const { name, size } of uki.sections) terminal.out(`${String(size).padStart(10)}  ${text(name)}\n`);
  return 0;
}

// Of an image that can't be unpacked here nothing can be said.
function secretsOf({ initrds }: UkiParts): string[] {
  return initrds.flatMap(({ path, data }) => {
    try {
      const entries = new ArchiveTree(readImage(data, text(path)), text(path)).entries();
      return privateFiles(entries.map((entry) => ({ ...entry.node, path: entry.path })));
    } catch (error) {
      if (error instanceof UserError) return [];
      throw error;
    }
  });
}

function signingKey(call: Call): SigningKey | undefined {
  const [key, certificate] = [call.value("secureboot-private-key"), call.value("secureboot-certificate")];
  if (key !== undefined && certificate !== undefined) return { key, certificate };
  if (key === undefined && certificate === undefined) return undefined;
  throw new UserError(
    `To sign takes a key and its certificate, and there is no ${key === undefined ? "key" : "certificate"}.`,
    "Say both --secureboot-private-key and --secureboot-certificate.",
  );
}

function readParts(call: Call): UkiParts {
  const [microcode, splash] = [call.value("microcode"), call.value("splash")];
  const [commandLine, uname] = [call.value("cmdline"), call.value("uname")];
  const osRelease = osReleaseOf(call.value("os-release"));
  return {
    stub: readStub(call.value("stub")),
    linux: readKernel(call.value("linux")),
    initrds: call.values("initrd").map((path) => readInput("image", path)),
    ...(microcode === undefined ? {} : { microcode: readInput("microcode", microcode) }),
    ...(splash === undefined ? {} : { splash: readInput("splash image", splash) }),
    ...(commandLine === undefined ? {} : { commandLine: oneLine(textOrFile("command line", commandLine)) }),
    ...(osRelease === undefined ? {} : { osRelease }),
    ...(uname === undefined ? {} : { uname }),
  };
}

function readStub(path: string | undefined): UkiInput {
  if (path === undefined && !isFile(STUB))
    throw new UserError(
      `There is no ${STUB}, the program that a UKI is made around.`,
      "It is in the package systemd-boot-efi (Debian, Ubuntu), systemd-boot-unsigned (Fedora) or systemd (Arch); or name another by --stub.",
    );
  return readInput("stub", path ?? STUB);
}

function readKernel(path: string | undefined): UkiInput {
  if (path !== undefined) return readInput("kernel", path);
  const release = runningRelease();
  const usual = [`/boot/vmlinuz-${release}`, `/usr/lib/modules/${release}/vmlinuz`];
  const found = usual.find(isFile);
  if (found === undefined)
    throw new UserError(
      `The running kernel ${text(release)} is neither ${usual.map(text).join(" nor ")}.`,
      "Name one by --linux FILE.",
    );
  return readInput("kernel", found);
}

function osReleaseOf(given: string | undefined): string | undefined {
  const usual = ["/etc/os-release", "/usr/lib/os-release"].find(isFile);
  const value = given ?? (usual && `@${usual}`);
  if (value === undefined) return undefined;
  const release = textOrFile("os-release", value);
  if (!release.includes("="))
    throw new UserError(
      `The os-release '${text(release.slice(0, 100))}' has no NAME=VALUE in it.`,
      "A file is named with @ in front: --os-release @FILE.",
    );
  return release;
}

function textOrFile(noun: string, value: string): string {
  return value.startsWith("@") ? fromBytes(readInput(noun, value.slice(1)).data) : value;
}

// A file of a command line ends with a newline and may have more of them; to the kernel they are blanks.
function oneLine(words: string): string {
  return words.replace(/[\t\r\n]+/g, " ").trim();
}

function isFile(path: string): boolean {
  return statSync(hostPath(path), { throwIfNoEntry: false })?.isFile() ?? false;
}

function readInput(noun: string, path: string): UkiInput {
  try {
    if (!statSync(hostPath(path)).isFile()) throw new UserError("it is no regular file");
    return { path, data: readFileSync(hostPath(path)) };
  } catch (error) {
    throw new UserError(`The ${noun} ${text(path)} can't be read: ${describe(error)}.`);
  }
}
