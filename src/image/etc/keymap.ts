/** Keymaps and fonts of the Linux console, found where loadkeys(1) and setfont(8) look. */

import { fromBytes, text } from "../../lib/bytes.ts";
import { decompress } from "../../modules/decompress.ts";
import type { FileTree } from "../file-tree.ts";

/** What was read of a keymap: one text without includes, or a sentence that says why there is none. */
export type Keymap = { readonly keymap: string } | { readonly problem: string };

/**
 * The keymap of this name or absolute path, all that it includes in place (keymaps(5)): at boot nothing has to be
 * looked for, and nothing unpacked, for which loadkeys would call a shell and gzip.
 */
export function findKeymap(root: FileTree, name: string): Keymap {
  const path = name.startsWith("/") ? firstFile(root, withEndings(name, KEYMAP_ENDINGS)) : search(root, name);
  if (path === undefined) return { problem: `The keymap ${text(name)} is not installed.` };
  const missing: string[] = [];
  const keymap = inlined(root, path, missing, { left: MOST_INCLUDES });
  if (missing.length > 0)
    return {
      problem: `The keymap ${text(path)} includes ${missing.map(text).join(", ")}, which can't be had.`,
    };
  return { keymap };
}

/** The font of this name or absolute path, unpacked; undefined when it is not installed. */
export function findFont(root: FileTree, name: string): Uint8Array | undefined {
  const bases = name.startsWith("/") ? [name] : FONT_DIRECTORIES.map((directory) => `${directory}/${name}`);
  const path = firstFile(
    root,
    bases.flatMap((base) => withEndings(base, FONT_ENDINGS)),
  );
  return path === undefined ? undefined : unpacked(root, path);
}

const KEYMAP_DIRECTORIES: readonly string[] = [
  "/usr/share/keymaps",
  "/usr/share/kbd/keymaps",
  "/usr/lib/kbd/keymaps",
];
const FONT_DIRECTORIES: readonly string[] = [
  "/usr/share/consolefonts",
  "/usr/share/kbd/consolefonts",
  "/usr/lib/kbd/consolefonts",
];
const KEYMAP_ENDINGS: readonly string[] = ["", ".map", ".kmap"];
const INCLUDE_ENDINGS: readonly string[] = ["", ".inc", ".map"];
const FONT_ENDINGS: readonly string[] = ["", ".psfu", ".psf", ".fnt"];
const COMPRESSIONS: readonly string[] = ["", ".gz", ".zst", ".xz"];
const DEEPEST = 8;
const MOST_INCLUDES = 64;

function withEndings(base: string, endings: readonly string[]): string[] {
  return endings.flatMap((ending) => COMPRESSIONS.map((compression) => base + ending + compression));
}

function firstFile(root: FileTree, paths: readonly string[]): string | undefined {
  return paths.find((path) => root.resolve(path)?.type === "file");
}

// Those made from X layouts first, then those for PCs; include/ holds pieces only.
function search(root: FileTree, name: string): string | undefined {
  const directories = KEYMAP_DIRECTORIES.flatMap((directory) => below(root, directory, 0)).filter(
    (directory) => !directory.endsWith("/include"),
  );
  directories.sort((a, b) => rank(a) - rank(b));
  return firstFile(
    root,
    directories.flatMap((directory) => withEndings(`${directory}/${name}`, KEYMAP_ENDINGS)),
  );
}

function rank(path: string): number {
  return path.includes("/xkb") ? 0 : path.includes("/i386") ? 1 : 2;
}

function below(root: FileTree, directory: string, depth: number): string[] {
  const found = root.resolve(directory);
  if (found?.type !== "directory" || depth > DEEPEST || found.links.some(({ path }) => path === directory))
    return [];
  return [
    directory,
    ...root.list(directory).flatMap((name) => below(root, `${directory}/${name}`, depth + 1)),
  ];
}

// Included text stands where the line stood. What is not found, or is one include too many, is named in `missing`.
function inlined(root: FileTree, path: string, missing: string[], budget: { left: number }): string {
  const directory = path.slice(0, path.lastIndexOf("/"));
  return fromBytes(unpacked(root, path)).replace(INCLUDE, (_, name: string) => {
    const bases = name.startsWith("/") ? [name] : includePlaces(directory).map((place) => place + name);
    const found = firstFile(
      root,
      bases.flatMap((base) => withEndings(base, INCLUDE_ENDINGS)),
    );
    if (found !== undefined && budget.left-- > 0) return inlined(root, found, missing, budget);
    missing.push(name);
    return "";
  });
}

const INCLUDE = /^[ \t]*include[ \t]+"([^"\n]*)".*$/gm;

function includePlaces(directory: string): string[] {
  return [
    ...["", "../include/", "../../include/"].map((place) => `${directory}/${place}`),
    ...KEYMAP_DIRECTORIES.flatMap((one) => ["", "i386/", "mac/"].map((place) => `${one}/${place}include/`)),
  ];
}

function unpacked(root: FileTree, path: string): Uint8Array {
  return decompress(path, root.read(path) ?? new Uint8Array(0));
}
