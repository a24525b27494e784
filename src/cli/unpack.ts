/** `rdinit unpack`: the files of an image in a directory. */

import { lstatSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { linuxSyscalls } from "../../syscalls/native.ts";
import { openImage } from "../image/archive.ts";
import { ArchiveTree, type Lost } from "../image/archive-tree.ts";
import { unpackTo, type LeftOut } from "../image/archive/unpack.ts";
import { hostPath } from "../image/root-tree.ts";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { Call, Command } from "./command.ts";

export const unpackCommand: Command = {
  name: "unpack",
  operands: "IMAGE DIR",
  operandCount: [2, 2],
  summary:
    "writes the files of an initramfs into DIR, as the kernel would have them in its rootfs; DIR is made when it is " +
    "missing, and nothing is ever written outside of it. Owners and device nodes take root",
  options: [
    {
      name: "force",
      short: "f",
      meaning: "take a DIR that is not empty, and replace what has the names of files of the image",
    },
  ],
  run: runUnpack,
};

async function runUnpack({ operands, has, terminal }: Call): Promise<number> {
  const [image = "", directory = ""] = operands;
  const archive = openImage(image);
  if (archive.segments.length === 0 && archive.damage) throw archive.damage;
  const tree = new ArchiveTree(archive, image);
  prepare(directory, has("force"));
  terminal.progress(`rdinit unpack: ${text(image)} to ${text(directory)}`);
  const leftOut = unpackTo(tree, directory, has("force"), linuxSyscalls());
  terminal.progress("");
  for (const note of [leftOutNote(leftOut), lostNote(tree.lost)])
    if (note !== undefined) terminal.say(`rdinit unpack: ${note}`);
  if (archive.damage) throw archive.damage;
  return 0;
}

function prepare(directory: string, force: boolean): void {
  const place = hostPath(directory);
  if (!lstatSync(place, { throwIfNoEntry: false })) {
    mkdirSync(place, { recursive: true });
    return;
  }
  if (!statSync(place, { throwIfNoEntry: false })?.isDirectory())
    throw new UserError(`${text(directory)} is there already, and is no directory.`, "Name another one.");
  if (!force && readdirSync(place).length > 0)
    throw new UserError(
      `The directory ${text(directory)} is not empty.`,
      "Name another one, or unpack over what is in it by --force.",
    );
}

function leftOutNote({ devices, owners }: LeftOut): string | undefined {
  const parts = [
    devices > 0 ? [devices === 1 ? "a device node" : `${devices} device nodes`] : [],
    owners > 0
      ? [`the owner of ${owners === 1 ? "a file" : `${owners} files`}, with the setuid and setgid bits`]
      : [],
  ].flat();
  return parts.length > 0 ? `left out, as it takes root to make them: ${parts.join("; ")}.` : undefined;
}

function lostNote(lost: readonly Lost[]): string | undefined {
  const [first, ...others] = lost;
  if (!first) return undefined;
  const rest = others.length > 0 ? `, and ${others.length} more` : "";
  return `left out, as the kernel does: "${text(first.path)}", since ${first.why}${rest}.`;
}
