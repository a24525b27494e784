/** Files that a person wants in an image at a place of their own. */

import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { ExtraFile } from "./build.ts";
import type { Part } from "./part.ts";
import type { RootTree } from "./root-tree.ts";

/** What `--include` brings: parts for what stays at its path, files for what moves. */
export interface Included {
  readonly parts: readonly Part[];
  readonly files: readonly ExtraFile[];
}

/**
 * Reads each of `wishes`: FILE, or FILE:PATH to put it elsewhere; of a directory all files below it, symlinks as they
 * are, as most of them lead to something within it.
 * @throws UserError for a file that does not exist, and paths that are not absolute
 */
export function includedFiles(root: RootTree, wishes: readonly string[]): Included {
  const parts: Part[] = [];
  const files: ExtraFile[] = [];
  for (const wish of wishes) {
    const colon = wish.indexOf(":");
    const from = colon < 0 ? wish : wish.slice(0, colon);
    const to = colon < 0 ? undefined : wish.slice(colon + 1);
    if (!from.startsWith("/") || to?.startsWith("/") === false)
      throw new UserError(
        `--include ${text(wish)} makes no sense.`,
        "It takes absolute paths: /FILE or /FILE:/PATH.",
      );
    if (to === undefined) parts.push({ why: "--include", files: [from], wins: true });
    else files.push(...moved(root, from, to));
  }
  return { parts, files };
}

function moved(root: RootTree, from: string, to: string): ExtraFile[] {
  const found = root.resolve(from);
  if (!found || found.type === "other")
    throw new UserError(
      `${text(root.outside(from))}, which --include names, ${found ? "is no file that an image can hold" : "does not exist"}.`,
      "Leave it out.",
    );
  if (found.type === "file") return [{ to, from: root.outside(found.path), mode: found.mode }];
  return root.list(found.path).flatMap((name) => {
    const [path, place] = [`${found.path}/${name}`, `${to}/${name}`];
    const link = root.linkAt(path);
    return link === undefined ? moved(root, path, place) : [{ to: place, link }];
  });
}
