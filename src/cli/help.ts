/** The help texts, made from the tables. */

import type { Command } from "./command.ts";

interface Parameter {
  readonly usage: string;
  readonly meaning: string;
}

/** `rdinit --help` */
export function help(commands: readonly Command[], parameters: readonly Parameter[]): string {
  return [
    "rdinit: a Linux early-userspace init.",
    "",
    "As process 1 of an initramfs (/init) it finds and mounts the root filesystem and hands over to the",
    "init there. Everywhere else this file is a command:",
    "",
    ...columns([
      ...commands.map(
        ({ name, operands, summary }) => [`rdinit ${name} ${operands}`.trimEnd(), summary] as const,
      ),
      ["rdinit --version", "the version of rdinit, and of the runtime inside"],
      ["rdinit help [COMMAND]", "this text, or a command's own"],
    ]),
    "",
    "Parameters that /init reads from the kernel command line:",
    "",
    ...columns(parameters.map(({ usage, meaning }) => [usage, meaning] as const)),
    "",
  ].join("\n");
}

/** `rdinit COMMAND --help` */
export function commandHelp({ name, operands, summary, options }: Command): string {
  const rows = options.map(
    (option) =>
      [
        `${option.short === undefined ? "    " : `-${option.short}, `}--${option.name}${option.value === undefined ? "" : ` ${option.value}`}`,
        option.meaning,
      ] as const,
  );
  return [
    `rdinit ${name} ${operands}`.trimEnd(),
    "",
    ...wrapped(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`, WIDTH),
    ...(rows.length > 0 ? ["", ...columns(rows)] : []),
    "",
  ].join("\n");
}

const WIDTH = 110;
const WIDEST_LEFT = 32;

// Two columns; what is too long for the left one stands on a line of its own, the right one is wrapped.
function columns(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.min(WIDEST_LEFT, Math.max(...rows.map(([left]) => left.length)));
  const margin = " ".repeat(width + 4);
  return rows.flatMap(([left, right]) => {
    const lines = wrapped(right, WIDTH - margin.length);
    const [first = "", ...others] = lines;
    const head =
      left.length <= width ? [`  ${left.padEnd(width)}  ${first}`] : [`  ${left}`, `${margin}${first}`];
    return [...head, ...others.map((line) => margin + line)];
  });
}

function wrapped(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
