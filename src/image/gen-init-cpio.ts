/**
 * The description of an initramfs that the kernel's own usr/gen_init_cpio.c reads, by hand or behind
 * CONFIG_INITRAMFS_SOURCE (usr/gen_initramfs.sh): a line for each file, which says where its contents are.
 */

import { createHash } from "node:crypto";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { checkEntry, PATH_MAX, type CpioEntry } from "./cpio.ts";

/** Where the things that a list names are. Both are absolute paths, as byte strings. */
export interface ListPlaces {
  /** The folder for contents that no file of this machine has, or none whose path can be written. */
  readonly folder: string;
  /** Where the relative paths of the entries' files begin. */
  readonly workingDirectory: string;
}

/** A list, and what has to be put into its folder first. */
export interface InitramfsList {
  /** The list itself, a byte string. */
  readonly text: string;
  /** The entries whose contents belong into the folder, by the name that these have there. */
  readonly contents: ReadonlyMap<string, FileEntry>;
}

/** An entry that has contents. */
export type FileEntry = CpioEntry & { readonly type: "file" };

/**
 * The list of these entries, in their order; a file with hard links stands where the last of its names stood.
 * Times are not part of the format: a file gets that of its contents, all else the time of the build or what
 * gen_init_cpio is told by -t. The names of contents are made of what they hold, so that a new list and an old
 * one can share a folder.
 * @throws UserError for a name or target with white space in it, and for what no archive can hold
 */
export function initramfsList(entries: readonly CpioEntry[], places: ListPlaces): InitramfsList {
  refuseFolder(places.folder);
  const links = Map.groupBy(
    entries.filter((entry) => entry.type === "link"),
    ({ target }) => target,
  );
  const files = new Map(entries.flatMap((entry) => (entry.type === "file" ? [[entry.path, entry]] : [])));
  const contents = new Map<string, FileEntry>();
  const lines: string[] = [];
  const written = new Map<CpioEntry, number>();
  for (const entry of entries) {
    checkEntry(entry);
    const file = entry.type === "link" ? files.get(entry.target) : entry;
    if (file === undefined)
      throw new UserError(`${text(entry.path)} is a hard link to a file that the image does not have.`);
    // All directories of a file's names must have been made: its last name is its turn.
    const names = [file.path, ...(links.get(file.path) ?? []).map(({ path }) => path)];
    const turn = (written.get(file) ?? 0) + 1;
    written.set(file, turn);
    if (turn < names.length) continue;
    lines.push(lineOf(file, names, (data) => locationOf(data, places, contents)));
  }
  return { text: [...HEAD, ...lines, ""].join("\n"), contents };
}

const HEAD: readonly string[] = [
  "# An initramfs of rdinit. Two ways to use this list:",
  "#   usr/gen_init_cpio LIST >IMAGE, with the program from the kernel's source",
  '#   CONFIG_INITRAMFS_SOURCE="LIST" in the configuration of a kernel',
];

/** The longest line that gen_init_cpio reads as one, its newline included. */
const MOST_LINE = 2 * PATH_MAX + 49;

/** What isspace(3) says yes to: scanf's %s ends there. */
const WHITE_SPACE = /[ \t\n\v\f\r]/;

/**
 * Paths that neither gen_init_cpio changes (it puts variables of the environment in for ${…}) nor make, which
 * gets them as the names of files that the kernel depends on.
 */
const PLAIN_PATH = /^\/[\w@+,./\x80-\xff-]*$/;

type Writable = Exclude<CpioEntry, { type: "link" }>;

function lineOf(entry: Writable, names: readonly string[], location: (file: FileEntry) => string): string {
  for (const name of names) refuseWhiteSpace(name, "name");
  const [name = "", ...others] = names.map((path) => `/${path}`);
  const { mode, uid = 0, gid = 0 } = entry;
  // Read by %d: what is above 2^31 is written as the negative number of the same bits.
  const owner = [octal(mode), uid | 0, gid | 0].join(" ");
  const line = [KEYWORDS[entry.type], name, ...fieldsOf(entry, owner, location), ...others].join(" ");
  if (line.length + 1 > MOST_LINE)
    throw new UserError(
      `${text(entry.path)} has too many hard links for the list: gen_init_cpio reads ${MOST_LINE} bytes a line.`,
      "Use the cpio archive instead, which the kernel's build takes as well.",
    );
  return line;
}

const KEYWORDS: Readonly<Record<Writable["type"], string>> = {
  file: "file",
  directory: "dir",
  symlink: "slink",
  block: "nod",
  char: "nod",
  fifo: "pipe",
  socket: "sock",
};

// What stands between the name and the hard links.
function fieldsOf(entry: Writable, owner: string, location: (file: FileEntry) => string): string[] {
  if (entry.type === "file") return [location(entry), owner];
  if (entry.type === "symlink") {
    refuseWhiteSpace(entry.target, "symlink's target");
    return [entry.target, owner];
  }
  if (entry.type === "block" || entry.type === "char")
    return [owner, entry.type === "block" ? "b" : "c", ...entry.rdev.split(":")];
  return [owner];
}

function locationOf(
  entry: FileEntry,
  { folder, workingDirectory }: ListPlaces,
  contents: Map<string, FileEntry>,
): string {
  if (!(entry.data instanceof Uint8Array)) {
    const { file } = entry.data;
    const path = file.startsWith("/") ? file : `${workingDirectory}/${file}`;
    if (PLAIN_PATH.test(path) && path.length < PATH_MAX) return path;
  }
  const hash = createHash("sha256").update(
    entry.data instanceof Uint8Array ? entry.data : Buffer.from(entry.data.file, "latin1"),
  );
  const base = entry.path.slice(entry.path.lastIndexOf("/") + 1).replaceAll(/[^\w.-]/g, "_");
  const name = `${hash.digest("hex").slice(0, 16)}-${base.slice(-64)}`;
  contents.set(name, entry);
  return `${folder}/${name}`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function refuseWhiteSpace(name: string, noun: string): void {
  if (WHITE_SPACE.test(name))
    throw new UserError(
      `The ${noun} "${text(name)}" has white space in it, which the format of the list can't hold.`,
      "Use the cpio archive instead, which the kernel's build takes as well.",
    );
}

function refuseFolder(folder: string): void {
  // 96: the longest name in it.
  if (PLAIN_PATH.test(folder) && folder.length + 96 < PATH_MAX) return;
  throw new UserError(
    `The list can't lie at a path like "${text(folder)}": gen_init_cpio or make would misread it.`,
    "Write it where all names are of letters, digits and . _ - + , @ alone, and not too long.",
  );
}
