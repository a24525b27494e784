/** Putting parts into an image: their programs with the libraries that these need, their files, their links. */

import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { Link, Resolved } from "./file-tree.ts";
import type { ImageTree } from "./image-tree.ts";
import { LibraryFinder, type Closure } from "./libs.ts";
import type { Part } from "./part.ts";
import type { RootTree } from "./root-tree.ts";

/** Gives the image the symlinks to below /usr that a merged root has (file-hierarchy(7)): what it has besides goes the same way. */
export function addLinksAbove(tree: ImageTree, root: RootTree): void {
  for (const path of ["/bin", "/lib", "/lib64", "/sbin"])
    for (const link of root.resolve(path)?.links ?? []) addLink(tree, link, "the directories of the root");
}

/**
 * Adds what these parts hold but kernel modules. Nothing is put at the paths of `taken`, which are for others.
 * @throws UserError for what is not in `root`, and for libraries that are missing
 */
export function addParts(
  tree: ImageTree,
  root: RootTree,
  parts: readonly Part[],
  taken: ReadonlySet<string> = new Set(),
): void {
  const libraries = new LibraryFinder(root);
  const closures = parts.map(({ why, programs = [] }) => ({ why, found: libraries.find(programs) }));
  refuseMissing(closures.map(({ found }) => found));
  const links = new Map<string, Link & { readonly why: string }>();
  for (const { why, found } of closures)
    for (const link of found.links.values()) links.set(link.path, { ...link, why: `the way to ${why}` });
  for (const { why, files = [] } of parts)
    for (const file of files)
      for (const link of need(root, file, why).links) links.set(link.path, { ...link, why });
  // Those that stand above others first, so that nothing is put where a symlink has to be.
  const byDepth = [...links.values()].sort((a, b) => a.path.split("/").length - b.path.split("/").length);
  for (const link of byDepth) addLink(tree, link, link.why);

  for (const { why, found } of closures)
    for (const file of found.files.values()) {
      const by = found.neededBy.get(file.path);
      addFile(tree, root, file, by === undefined ? why : `needed by ${text(by)}`);
    }
  const winning = new Set(parts.flatMap(({ wins, files = [] }) => (wins === true ? files : [])));
  for (const { why, wins, files = [], made = [], links: own = [] } of parts) {
    const isFree = (path: string) => !taken.has(path) && (wins === true || !winning.has(path));
    for (const path of files.filter(isFree)) addAll(tree, root, need(root, path, why), why);
    for (const { to, data, mode = 0o644 } of made)
      if (isFree(to)) tree.add(to, { type: "file", data, mode }, why);
    for (const link of own) if (isFree(link.path) && !tree.has(link.path)) addLink(tree, link, why);
  }
}

function refuseMissing(closures: readonly Closure[]): void {
  const missing = new Map(closures.flatMap((closure) => closure.missing).map((one) => [one.name, one]));
  if (missing.size === 0) return;
  const list = [...missing.values()].map(({ name, neededBy }) => `${text(name)} (for ${text(neededBy)})`);
  throw new UserError(
    `These libraries are missing: ${list.join(", ")}.`,
    "Install them, or leave out what needs them.",
  );
}

function need(root: RootTree, path: string, why: string): Resolved {
  const found = root.resolve(path);
  if (found) return found;
  throw new UserError(
    `${text(root.outside(path))}, which ${why} wants in the image, does not exist.`,
    "Make it, or leave it out.",
  );
}

// A file, or a directory with all that is below it; symlinks in there stay what they are, also those that lead nowhere.
function addAll(tree: ImageTree, root: RootTree, found: Resolved, why: string): void {
  if (found.type === "file") addFile(tree, root, found, why);
  if (found.type !== "directory") return;
  tree.add(found.path, { type: "directory", mode: found.mode }, why);
  for (const name of root.list(found.path)) {
    const path = found.path === "/" ? `/${name}` : `${found.path}/${name}`;
    const target = root.linkAt(path);
    if (target !== undefined) addLink(tree, { path, target }, why);
    else addAll(tree, root, need(root, path, why), why);
  }
}

function addFile(tree: ImageTree, root: RootTree, { path, size, mode }: Resolved, why: string): void {
  tree.add(path, { type: "file", data: { file: root.outside(path), size }, mode }, why);
}

function addLink(tree: ImageTree, { path, target }: Link, why: string): void {
  tree.add(path, { type: "symlink", target }, why);
}
