/** `rdinit plan`: what /init would do for a kernel command line. */

import { readFileSync } from "node:fs";
import { planBoot } from "../plan/plan.ts";
import { ArchiveTree } from "../image/archive-tree.ts";
import { openImage } from "../image/archive.ts";
import { fromBytes, text } from "../lib/bytes.ts";
import type { Call, Command } from "./command.ts";

export const planCommand: Command = {
  name: "plan",
  operands: "",
  operandCount: [0, 0],
  summary: "says what /init would do for a kernel command line, without doing it",
  options: [
    {
      name: "cmdline",
      value: "WORDS",
      mayBeEmpty: true,
      meaning: "the kernel command line; this machine's own when left out",
    },
    { name: "image", value: "FILE", meaning: "with the parameters, hooks and module settings of this image" },
  ],
  run,
};

async function run({ value, terminal }: Call): Promise<number> {
  const line = value("cmdline") ?? fromBytes(readFileSync("/proc/cmdline")).trimEnd();
  const image = value("image");
  const { steps, obstacle } = planBoot(line, image === undefined ? undefined : readTree(image));
  const all = obstacle === undefined ? steps : [...steps, `Stop there: ${obstacle}`];
  terminal.out(all.map((step, at) => `${String(at + 1).padStart(2)}. ${step}\n`).join(""));
  return obstacle === undefined ? 0 : 1;
}

function readTree(path: string): ArchiveTree {
  const archive = openImage(path);
  if (archive.damage) throw archive.damage;
  return new ArchiveTree(archive, text(path));
}
