/**
 * Parameters that the image brings along, so that nobody has to write them into a boot loader.
 *
 * /etc/rdinit/cmdline holds words in the kernel's own syntax. They count as if they stood in front of the kernel
 * command line, which therefore wins, and they are for rdinit and the modules that it loads: the kernel and the
 * real init never see them. Lines are joined, and one that begins with # is a comment.
 */

import { O_CLOEXEC, O_RDONLY, SysError, type Syscalls, isErrno } from "../../../syscalls/index.ts";
import { fromBytes, text } from "../../lib/bytes.ts";
import { describe } from "../../lib/errors.ts";
import { type Word, longestLine_bytes, parseCommandLine, splitCommandLine } from "./cmdline.ts";
import { type Start, wordsForUs } from "../handover/oldroot.ts";
import { translateWords } from "./foreign-words.ts";
import { renewWords } from "./old-names.ts";
import { type Options, isKnown, readOptions } from "./options.ts";
import { subsystemComplaints } from "./subsystems.ts";

/** Where the file is, in the image. */
export const packedFile = "/etc/rdinit/cmdline";

/** A kernel command line has at most four thousand characters or so: what is longer than this is no such thing. */
export const packedLimit_bytes = 64 * 1024;

/** All that a boot is told. */
export interface Parameters {
  /** The words of the image, and behind them those of the kernel command line. */
  readonly words: readonly Word[];
  readonly options: Options;
  /** A sentence for each word that could not be used. */
  readonly complaints: readonly string[];
}

/**
 * Puts the kernel command line and what the image holds together; both are byte strings. Started from a real
 * filesystem, the kernel's own words for that are not for us (handover/oldroot.ts).
 */
export function readParameters(
  line: string,
  packed: string | undefined,
  start: Start = "rootfs",
): Parameters {
  const image = parsePacked(packed ?? "");
  const renewed = renewWords(parseCommandLine(line));
  const translated = translateWords(renewed.words);
  const words = wordsForUs(translated.words, start);
  const first = readOptions(image.words, "in the image");
  const { options, complaints } = readOptions(words, "on the command line", first.options);
  return {
    words: [...image.words, ...words],
    options,
    complaints: [
      ...lengthComplaint(line),
      ...quoteComplaints(words),
      ...image.complaints,
      ...first.complaints,
      ...renewed.remarks,
      ...translated.remarks,
      ...complaints,
      ...subsystemComplaints([...image.words, ...words]),
    ],
  };
}

// The kernel cuts it there without a word. Only a bootconfig makes it longer.
function lengthComplaint(line: string): string[] {
  if (line.length !== longestLine_bytes) return [];
  const last = text(line.slice(-LAST_SHOWN));
  return [
    `the kernel command line ends at the ${longestLine_bytes} bytes that the kernel takes, with "…${last}": what stood behind is lost.`,
  ];
}

// A shell would take them off.
function quoteComplaints(words: readonly Word[]): string[] {
  const quoted = words.filter(({ name, value }) => value?.startsWith("'") === true && isKnown(name));
  return quoted.map(
    ({ name }) =>
      `the value of ${text(name)}= begins with ', which belongs to it: the kernel knows no quotes but ".`,
  );
}

const LAST_SHOWN = 30;

/** The words of the file's contents, and sentences about what is wrong with it. */
export function parsePacked(content: string): { words: Word[]; complaints: string[] } {
  const damage = damageOf(content);
  if (damage !== undefined)
    return { words: [], complaints: [`${packedFile} of the image is not used: ${damage}.`] };
  const line = content.replace(/^[ \t]*#[^\n]*/gm, "");
  const { words, behind } = splitCommandLine(line);
  const complaints =
    behind === undefined
      ? []
      : [`what stands behind -- in ${packedFile} is left out: the real init gets the kernel's words alone.`];
  return { words, complaints };
}

/** The contents of the file, cut behind what is too much of it already; `problem` is a sentence. */
export function readPacked(sys: Syscalls): { content: string | undefined; problem: string | undefined } {
  try {
    return { content: readSome(sys, packedFile, packedLimit_bytes + 1), problem: undefined };
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return { content: undefined, problem: undefined };
    if (!(error instanceof SysError)) throw error;
    return { content: undefined, problem: `the image's own parameters are not used: ${describe(error)}.` };
  }
}

function damageOf(content: string): string | undefined {
  if (content.length > packedLimit_bytes) return `it is longer than ${packedLimit_bytes} bytes`;
  return content.includes("\0") ? "it holds zero bytes, so it was damaged" : undefined;
}

function readSome(sys: Syscalls, path: string, most: number): string {
  const fd = sys.open(path, O_RDONLY | O_CLOEXEC);
  try {
    const buffer = new Uint8Array(most);
    let length = 0;
    for (let got = -1; got !== 0 && length < most; length += got) got = sys.read(fd, buffer.subarray(length));
    return fromBytes(buffer.subarray(0, length));
  } finally {
    sys.close(fd);
  }
}
