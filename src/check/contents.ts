/** Whether an image is whole in itself: what it holds, without a look at any machine. */

import { parseCommandLine } from "../boot/cmdline/cmdline.ts";
import type { Archive } from "../image/archive.ts";
import type { ArchiveTree } from "../image/archive-tree.ts";
import { FIRST_FILE, LAST_FILE } from "../image/build.ts";
import { LibraryFinder, type MissingLibrary } from "../image/libs.ts";
import { text } from "../lib/bytes.ts";
import { describe } from "../lib/errors.ts";
import { readIdentity, HEAD_SIZE } from "../stub/identity.ts";
import { error, type Finding, warning } from "./finding.ts";

/** Damage, a missing end, and files that the kernel would not unpack. */
export function checkWhole(archive: Archive, tree: ArchiveTree): Finding[] {
  const findings = archive.damage ? [error(describe(archive.damage))] : [];
  const has = (path: string) => tree.node(`/${path}`) !== undefined;
  if (has(FIRST_FILE) && !has(LAST_FILE) && !archive.damage)
    findings.push(error("It was cut short: its last file is missing. Copy it again, or build it anew."));
  for (const { path, why } of tree.lost)
    findings.push(warning(`${text(path)} would not be unpacked: ${why}.`));
  return findings;
}

/** The program that the kernel starts for this command line, and the console that it needs before /dev is there. */
export function checkInit(tree: ArchiveTree, line: string): Finding[] {
  const path = parseCommandLine(line).findLast(({ name }) => name === "rdinit")?.value ?? "/init";
  const findings: Finding[] = [];
  const node = tree.node(path);
  if (node === undefined)
    findings.push(error(`It has no ${text(path)}, so the kernel would start nothing of it.`));
  else if (node.type !== "file" || (node.mode & ANY_EXECUTE) === 0)
    findings.push(error(`${text(path)} is no executable file, so the kernel can't start it.`));
  else findings.push(...checkOwn(path, node.data));
  const console = tree.node("/dev/console");
  if (console?.type !== "char" || console.rdev !== CONSOLE)
    findings.push(warning("It has no /dev/console: until /init mounts /dev, messages are lost."));
  return findings;
}

/**
 * Every program, script and plugin, with the libraries and interpreters that it needs. Plugins are libraries that no
 * program names: what one of them lacks matters only to who opens it, and may be there by another way then.
 */
export function checkPrograms(tree: ArchiveTree): Finding[] {
  const libraries = new LibraryFinder(tree);
  const files = tree.entries().filter(({ node }) => node.type === "file");
  const programs = files.filter(
    ({ node }) => (node.mode & ANY_EXECUTE) !== 0 && (isElf(node.data) || isScript(node.data)),
  );
  const closures = programs
    .filter(({ path }) => !isLibrary(path) && !path.endsWith(".ko"))
    .map(({ path }) => closureOf(libraries, path));
  const named = new Set(closures.flatMap(({ files: needed }) => needed));
  const plugins = files.filter(({ path, node }) => isLibrary(path) && isElf(node.data) && !named.has(path));
  return [
    ...tellMissing(closures, error),
    ...tellMissing(
      plugins.map(({ path }) => closureOf(libraries, path)),
      warning,
    ),
  ];
}

const ANY_EXECUTE = 0o111;
const CONSOLE = "5:1";

// An /init of rdinit knows its own size.
function checkOwn(path: string, data: Uint8Array): Finding[] {
  const identity = readIdentity(data.subarray(0, HEAD_SIZE));
  if (identity === undefined)
    return [warning(`${text(path)} is no rdinit: what it does with the command line is not known here.`)];
  return BigInt(data.length) === identity.size
    ? []
    : [error(`${text(path)} was cut short, and would not start.`)];
}

interface ProgramClosure {
  readonly files: readonly string[];
  readonly missing: readonly MissingLibrary[];
  /** A sentence when it can't be told at all. */
  readonly problem?: string;
}

function closureOf(libraries: LibraryFinder, path: string): ProgramClosure {
  try {
    const { files, missing } = libraries.find([path]);
    return { files: [...files.keys()], missing };
  } catch (failure) {
    return { files: [], missing: [], problem: describe(failure) };
  }
}

function tellMissing(closures: readonly ProgramClosure[], tell: (sentence: string) => Finding): Finding[] {
  const users = new Map<string, Set<string>>();
  for (const { name, neededBy } of closures.flatMap(({ missing }) => missing))
    users.set(name, (users.get(name) ?? new Set()).add(neededBy));
  return [
    ...closures.flatMap(({ problem }) => (problem === undefined ? [] : [tell(problem)])),
    ...[...users].map(([name, by]) =>
      tell(`The library ${text(name)} is missing, which ${needing([...by])}.`),
    ),
  ];
}

function isLibrary(path: string): boolean {
  return /\.so(?:\.[^/]*)?$/.test(path);
}

function isElf(data: Uint8Array): boolean {
  return ELF.every((byte, at) => data[at] === byte);
}

function isScript(data: Uint8Array): boolean {
  return data[0] === 0x23 && data[1] === 0x21;
}

const ELF = [0x7f, 0x45, 0x4c, 0x46];

function needing(paths: readonly string[]): string {
  const [first = "", ...rest] = paths.map(text);
  if (rest.length === 0) return `${first} needs`;
  return `${first} and ${rest.length === 1 ? rest[0] : `${rest.length} others`} need`;
}
