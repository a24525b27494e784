/** The command-line tool that the same file is outside of an initramfs. */

import { readFileSync } from "node:fs";
import { version } from "../package.json";
import { parameters } from "./boot/cmdline/parameters.ts";
import { subsystemParameters } from "./boot/cmdline/subsystems.ts";
import { parseCall } from "./cli/args.ts";
import { catCommand } from "./cli/cat.ts";
import { chartCommand } from "./cli/chart.ts";
import { checkCommand } from "./cli/check.ts";
import type { Command, Terminal } from "./cli/command.ts";
import { commandHelp, help } from "./cli/help.ts";
import { imageCommand } from "./cli/image.ts";
import { installCommand } from "./cli/install.ts";
import { initramfsListCommand } from "./cli/initramfs-list.ts";
import { listCommand } from "./cli/list.ts";
import { planCommand } from "./cli/plan.ts";
import { processTerminal } from "./cli/terminal.ts";
import { ukiCommand } from "./cli/uki.ts";
import { unlockCommand } from "./cli/unlock.ts";
import { unpackCommand } from "./cli/unpack.ts";
import { fromBytes, text } from "./lib/bytes.ts";
import { UserError, describe } from "./lib/errors.ts";
import { didYouMean } from "./lib/nearest.ts";

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  imageCommand,
  initramfsListCommand,
  ukiCommand,
  installCommand,
  listCommand,
  catCommand,
  unpackCommand,
  checkCommand,
  planCommand,
  unlockCommand,
  chartCommand,
];

/**
 * Runs one command line (without argv[0], as byte strings); returns the exit status: 0, 1 when a command's answer
 * is no, or 2 when something could not be done or understood.
 */
export async function runCommand(
  args: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<number> {
  try {
    return await dispatch(args, terminal);
  } catch (error) {
    terminal.progress("");
    const known = error instanceof UserError || isSystemError(error);
    terminal.say(`rdinit: ${known ? describe(error) : `an error of its own: ${stackOf(error)}`}`);
    return 2;
  }
}

/** The words that this process was called with, byte for byte: process.argv has them only as far as they are UTF-8. */
export function programArguments(): string[] {
  const count = process.argv.length - 2;
  const words = fromBytes(readFileSync("/proc/self/cmdline")).split("\0").slice(0, -1);
  return count === 0 ? [] : words.slice(-count);
}

async function dispatch(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const command = rest.length > 0 ? findCommand(rest[0] ?? "") : undefined;
    terminal.out(command ? commandHelp(command) : help(COMMANDS, [...parameters, ...subsystemParameters]));
    return 0;
  }
  if (name === "--version") {
    terminal.out(`rdinit ${version} (bun ${Bun.version})\n`);
    return 0;
  }
  const command = findCommand(name);
  if (rest.some((word) => word === "--help" || word === "-h")) {
    terminal.out(commandHelp(command));
    return 0;
  }
  return command.run(parseCall(command, rest, terminal));
}

function findCommand(name: string): Command {
  const command = COMMANDS.find((one) => one.name === name);
  if (command) return command;
  const kind = name.startsWith("-") ? "an option" : "a command";
  const names = [...COMMANDS.map((one) => one.name), "--help", "--version"];
  throw new UserError(
    `'${text(name)}' is not ${kind} of rdinit.`,
    didYouMean(name, names, "See rdinit --help."),
  );
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
