/** `rdinit chart`: the picture of a boot. */

import { readFileSync, writeFileSync } from "node:fs";
import { timingFile } from "../boot/timing/save.ts";
import { layOut } from "../chart/layout.ts";
import { parseRecord } from "../chart/parse.ts";
import type { BootRecord } from "../chart/record.ts";
import { drawSvg } from "../chart/svg.ts";
import { text, toBytes } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { Call, Command } from "./command.ts";

export const chartCommand: Command = {
  name: "chart",
  operands: "[FILE|-]",
  operandCount: [0, 1],
  summary: `draws where the time of a boot with rd.timing went, as an SVG, from ${timingFile} or another FILE`,
  options: [
    { name: "output", short: "o", value: "FILE", meaning: "the picture; standard output when left out" },
    {
      name: "from",
      value: "SECONDS|init",
      meaning: "begin at this time, or where /init does, instead of at the kernel's start",
    },
  ],
  run,
};

async function run({ operands, value, terminal }: Call): Promise<number> {
  const output = value("output");
  if (output === undefined && terminal.direct === true)
    throw new UserError("A picture is nothing for a terminal.", "Name a file: rdinit chart -o boot.svg.");
  const source = operands[0] ?? timingFile;
  const isInput = source === "-";
  const record = parseRecord(read(source), isInput ? "The standard input" : text(source));
  const svg = drawSvg(layOut(record, beginning(value("from"), record)));
  if (output === undefined) terminal.out(svg);
  else writeFileSync(Buffer.from(toBytes(output)), svg);
  return 0;
}

function read(source: string): string {
  try {
    return readFileSync(source === "-" ? 0 : Buffer.from(toBytes(source)), "utf8");
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isMissing) throw error;
    throw new UserError(
      `There is no ${text(source)}.`,
      "A boot with rd.timing on its kernel command line leaves one.",
    );
  }
}

function beginning(written: string | undefined, { init_us, end_us }: BootRecord): number {
  if (written === undefined) return 0;
  if (written === "init") return init_us;
  const from_us = /^\d{1,9}(\.\d{1,6})?$/.test(written) ? Math.round(Number(written) * 1e6) : undefined;
  if (from_us === undefined)
    throw new UserError(
      `--from ${text(written)} is no number of seconds.`,
      "--from init begins where /init does.",
    );
  if (from_us >= end_us)
    throw new UserError(
      `--from ${text(written)} is behind the end of this boot, ${(end_us / 1e6).toFixed(2)} s.`,
    );
  return from_us;
}
