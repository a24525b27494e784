/** `rdinit cat`: files of an image. */

import { openImage } from "../image/archive.ts";
import { ArchiveTree } from "../image/archive-tree.ts";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { didYouMean } from "../lib/nearest.ts";
import type { Call, Command } from "./command.ts";

export const catCommand: Command = {
  name: "cat",
  operands: "IMAGE PATH…",
  operandCount: [2, Infinity],
  summary: "writes files of an initramfs to standard output; symlinks are followed inside the image",
  options: [],
  run: runCat,
};

async function runCat({ operands, terminal }: Call): Promise<number> {
  const [image = "", ...paths] = operands;
  const archive = openImage(image);
  const tree = new ArchiveTree(archive, image);
  // All are looked up before the first is written.
  const files = paths.map((path) => tree.read(path) ?? refuse(tree, path, archive.damage));
  for (const data of files) terminal.out(data);
  if (archive.damage) throw archive.damage;
  return 0;
}

function refuse(tree: ArchiveTree, path: string, damage: UserError | undefined): never {
  const node = tree.node(path);
  const shown = text(tree.outside(path.startsWith("/") ? path : `/${path}`));
  if (node?.type === "directory")
    throw new UserError(`${shown} is a directory.`, "rdinit list shows what is in it.");
  if (node) throw new UserError(`${shown} is no file but a ${KINDS[node.type] ?? node.type}.`);
  const target = tree.node(path, "stay")?.target;
  const problem = target === undefined ? "" : `a symlink to ${text(target)}, which is `;
  const hint = target === undefined ? suggestion(tree, path) : "";
  throw new UserError(
    `${shown} is ${problem}not in the image.`,
    damage ? `It may have been behind the damage: ${damage.message}` : hint,
  );
}

const KINDS: Readonly<Record<string, string>> = { char: "device node", block: "device node" };

// The file of that name elsewhere, or one that is called nearly the same.
function suggestion(tree: ArchiveTree, path: string): string {
  const paths = tree.entries().map((entry) => entry.path);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const namesake = paths.find((other) => other.endsWith(`/${name}`));
  if (name !== "" && namesake !== undefined) return `Did you mean ${text(namesake)}?`;
  return didYouMean(text(`/${path.replace(/^[./]+/, "")}`), paths.map(text), "rdinit list shows what is.");
}
