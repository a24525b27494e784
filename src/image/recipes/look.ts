/** Looking around in a root: programs by name, files by pattern, libraries that are opened while a program runs. */

import { toolDirectories } from "../../boot/children/spawn.ts";
import { globMatch } from "../../modules/glob.ts";
import { ElfError, parseElf, type Elf } from "../elf.ts";
import type { FileTree } from "../file-tree.ts";
import { LibraryPath } from "../library-path.ts";

/** The path of a program given by its name or its absolute path; undefined when there is none. */
export function findProgram(root: FileTree, name: string): string | undefined {
  const paths = name.startsWith("/") ? [name] : toolDirectories.map((directory) => `${directory}/${name}`);
  return name === "" ? undefined : paths.find((path) => root.resolve(path)?.type === "file");
}

/** The existing paths that an absolute pattern stands for, sorted; a plain path stands for itself. */
export function findFiles(root: FileTree, pattern: string): string[] {
  let paths = [""];
  for (const part of pattern.split("/").slice(1))
    paths = paths.flatMap((path) =>
      /[*?[]/.test(part)
        ? root
            .list(path === "" ? "/" : path)
            .filter((name) => globMatch(part, name) && (part.startsWith(".") || !name.startsWith(".")))
            .map((name) => `${path}/${name}`)
        : [`${path}/${part}`],
    );
  return paths.filter((path) => root.resolve(path) !== undefined);
}

/** What a program opens below the directories of libraries. */
export interface Opened {
  readonly paths: readonly string[];
  /** Links by which ld.so finds what only ld.so.cache would have named; an image has none. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
}

/**
 * Libraries and plugins that `program` opens by itself, by patterns below the directories of libraries; of two
 * with one name that of the earlier directory. Those for other machines are passed over.
 */
export function findLibraryFiles(root: FileTree, program: string, patterns: readonly string[]): Opened {
  const elf = readElf(root, program);
  if (!elf) return { paths: [], links: [] };
  const search = new LibraryPath(root);
  const found = new Map<string, string>();
  const links: { path: string; target: string }[] = [];
  for (const { path: directory, trusted } of search.directories(elf))
    for (const path of patterns.flatMap((pattern) => findFiles(root, `${directory}/${pattern}`))) {
      const name = path.slice(directory.length + 1);
      const library = readElf(root, path);
      if (library?.machine !== elf.machine || library.bits !== elf.bits || found.has(name)) continue;
      found.set(name, path);
      const shortcut = search.shortcut(name, elf);
      if (!trusted && !name.includes("/") && !root.resolve(shortcut))
        links.push({ path: shortcut, target: path });
    }
  return { paths: [...found.values()], links };
}

/** The same for files that are no libraries. */
export function findLibraryData(root: FileTree, program: string, patterns: readonly string[]): string[] {
  const elf = readElf(root, program);
  const found = new Map<string, string>();
  for (const { path: directory } of elf ? new LibraryPath(root).directories(elf) : [])
    for (const path of patterns.flatMap((pattern) => findFiles(root, `${directory}/${pattern}`))) {
      const name = path.slice(directory.length + 1);
      if (!found.has(name)) found.set(name, path);
    }
  return [...found.values()];
}

function readElf(root: FileTree, path: string): Elf | undefined {
  try {
    return parseElf(root.read(path) ?? new Uint8Array(0));
  } catch (error) {
    if (error instanceof ElfError) return undefined;
    throw error;
  }
}
