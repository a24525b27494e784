/** `rdinit plan`: what /init would do for a kernel command line. */

import { readFileSync } from "node:fs";
import { planBoot } from "../boot/plan.ts";
import { fromBytes } from "../lib/bytes.ts";
import type { Call, Command } from "./command.ts";

export const planCommand: Command = {
  name: "plan",
  operands: "",
  operandCount: [0, 0],
  summary: "say what /init would do for a kernel command line, without doing it",
  options: [
    { name: "cmdline", value: "WORDS", meaning: "the kernel command line; this machine's own when left out" },
  ],
  run,
};

async function run({ value, terminal }: Call): Promise<number> {
  const line = value("cmdline") ?? fromBytes(readFileSync("/proc/cmdline")).trimEnd();
  const { steps, obstacle } = planBoot(line);
  const all = obstacle === undefined ? steps : [...steps, `Stop there: ${obstacle}`];
  terminal.out(all.map((step, at) => `${String(at + 1).padStart(2)}. ${step}\n`).join(""));
  return obstacle === undefined ? 0 : 1;
}
