/**
 * Initramfs images of any kind, read as the kernel reads them (init/initramfs.c, unpack_to_rootfs): segments one
 * behind the other, each an archive as it is or compressed data that hold archives, with zeros between them.
 */

import { readFileSync, statSync } from "node:fs";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { strangerAt } from "./archive/strangers.ts";
import { afterZeros, damageOf, isEntry, readArchive, type CpioMember, type Fault } from "./cpio-reader.ts";
import { compressionAt, type Compression } from "./decompress/compressions.ts";
import { hostPath } from "./root-tree.ts";

/** A part of an image that is packed in one way. */
export interface Segment {
  /** Where it begins in the image. */
  readonly offset: number;
  readonly compression: Compression["name"] | "none";
  /** Bytes in the image, without zeros behind it. */
  readonly size: number;
  /** Bytes that it holds; the same where it is not compressed. */
  readonly unpackedSize: number;
  readonly members: readonly CpioMember[];
  /** Whether the kernel takes microcode or ACPI tables from it before it unpacks anything. */
  readonly early: boolean;
}

/** An image as far as it can be read. */
export interface Archive {
  readonly segments: readonly Segment[];
  /** What is wrong behind the last of them. */
  readonly damage?: UserError;
}

/**
 * Reads the image in this file.
 * @throws UserError when there is no such file, and when a program that unpacks it is not installed
 */
export function openImage(path: string): Archive {
  let image: Uint8Array;
  // Some have no end.
  if (statSync(hostPath(path), { throwIfNoEntry: false })?.isCharacterDevice() === true)
    throw new UserError(`${text(path)} is a character device and no image.`);
  try {
    image = readFileSync(hostPath(path));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") throw new UserError(`There is no image ${text(path)}.`);
    if (code === "EISDIR") throw new UserError(`${text(path)} is a directory and no image.`);
    if (code === "ENOMEM") throw new UserError(`${text(path)} is too large to be read at once.`);
    throw error;
  }
  return readImage(image, text(path));
}

/**
 * Reads an image; `name` is what sentences call it. What comes before damage is there all the same.
 * @throws UserError when a program that unpacks it is not installed
 */
export function readImage(image: Uint8Array, name = "The image"): Archive {
  const segments: Segment[] = [];
  let archive = 0;
  for (let at = afterZeros(image, 0); at < image.length;) {
    const read = isEntry(image, at) ? readPlain(image, at, archive) : readPacked(image, at, archive);
    if (read.segment) {
      const { early, ...segment } = read.segment;
      segments.push({
        ...segment,
        early: early && segments.every(({ compression }) => compression === "none"),
      });
    }
    if (read.fault) return { segments, damage: damage(name, segments, read.fault) };
    archive = read.archive;
    at = afterZeros(image, read.end);
  }
  if (segments.length > 0) return { segments };
  return { segments, damage: new UserError(`${name} holds nothing${image.length > 0 ? " but zeros" : ""}.`) };
}

/** What stands at one place of an image. */
interface Reading {
  readonly segment?: Segment;
  readonly end: number;
  /** The number of the next archive. */
  readonly archive: number;
  readonly fault?: Damage;
}

/** What is wrong, as half a sentence, and where; or what stands there that should not. */
interface Damage {
  readonly where: string;
  readonly what?: string;
  readonly stranger?: string;
}

function readPlain(image: Uint8Array, offset: number, archive: number): Reading {
  const { members, end, fault, next } = readArchives(image, offset, archive, "one");
  const size = end - offset;
  const early = members.some(({ path }) => EARLY.some((start) => path.startsWith(start)));
  const segment = { offset, compression: "none", size, unpackedSize: size, members, early } as const;
  const read = { ...(size > 0 && { segment }), end, archive: next };
  return fault ? { ...read, fault: { what: fault.what, where: `at byte ${fault.at}` } } : read;
}

function readPacked(image: Uint8Array, offset: number, archive: number): Reading {
  const compression = compressionAt(image, offset);
  if (!compression) {
    const fault = { stranger: strangerAt(image, offset), where: `at byte ${offset}` };
    return { end: offset, archive, fault };
  }
  const { name, decoder } = compression;
  const { data, end, fault: packedFault } = decoder(image, offset);
  const { members, fault, next } = readArchives(data, 0, archive, "all");
  const segment = {
    offset,
    compression: name,
    size: end - offset,
    unpackedSize: data.length,
    members,
    early: false,
  };
  const read = { segment, end, archive: next };
  const whole = `the ${name} data at byte ${offset}`;
  if (packedFault !== undefined) return { ...read, fault: { what: packedFault, where: `in ${whole}` } };
  return fault
    ? { ...read, fault: { what: fault.what, where: `at byte ${fault.at} of ${whole}, unpacked` } }
    : read;
}

/** Archives behind each other. */
interface Archives {
  readonly members: readonly CpioMember[];
  readonly end: number;
  /** The number of the next. */
  readonly next: number;
  readonly fault?: Fault;
}

// One archive, or all that there are up to the end of `bytes`; they are numbered from `first` on.
function readArchives(bytes: Uint8Array, start: number, first: number, howMany: "one" | "all"): Archives {
  const members: CpioMember[] = [];
  let next = first;
  for (let at = start; ;) {
    const reading = readArchive(bytes, at, next);
    let step = reading.next();
    for (; !step.done; step = reading.next()) members.push(step.value);
    const { end, trailer, fault } = step.value;
    if (trailer) next++;
    const read = { members, end, next };
    if (fault) return { ...read, fault };
    at = afterZeros(bytes, end);
    if (howMany === "one" || at >= bytes.length) return read;
    if (!isEntry(bytes, at)) return { ...read, fault: { what: "what follows is no archive", at } };
  }
}

/** Below these the kernel looks for what it needs early (arch/x86 load_ucode, acpi_table_upgrade). */
const EARLY = ["kernel/x86/microcode/", "kernel/firmware/acpi/"];

function damage(name: string, segments: readonly Segment[], { where, what, stranger }: Damage): UserError {
  if (segments.length === 0 && stranger !== undefined)
    return new UserError(`${name} is no initramfs: it begins with ${stranger}.`);
  const last = segments.flatMap(({ members }) => members.slice(-1)).at(-1);
  const sentence = damageOf(name, last?.path, where, what ?? `what follows is ${stranger}`);
  return new UserError(sentence, "Copy it again, or build it anew.");
}
