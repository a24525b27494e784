/** The command-line tool that the same file is outside of an initramfs. */

import minimist from "minimist";
import { version } from "../package.json";
import { parameters } from "./boot/options.ts";
import { UserError, describe } from "./lib/errors.ts";

/** Runs one command line (without argv[0]); returns the exit status: 0, or 2 when it could not be understood. */
export function runCommand(args: readonly string[]): number {
  try {
    process.stdout.write(answer(args));
    return 0;
  } catch (error) {
    process.stderr.write(`rdinit: ${describe(error)}\n`);
    return 2;
  }
}

function answer(args: readonly string[]): string {
  const parsed = minimist([...args], {
    boolean: ["help", "version"],
    alias: { h: "help" },
    unknown: (word) => {
      throw new UserError(`'${word}' is neither an option nor a command.`, "See rdinit --help.");
    },
  });
  if (parsed["version"] === true) return `rdinit ${version} (bun ${Bun.version})\n`;
  return help();
}

function help(): string {
  const width = Math.max(...parameters.map((parameter) => parameter.usage.length));
  const rows = parameters.map(({ usage, meaning }) => `  ${usage.padEnd(width)}  ${meaning}`);
  return [
    "rdinit: a Linux early-userspace init.",
    "",
    "As process 1 of an initramfs (/init) it finds and mounts the root filesystem and hands over to the",
    "init there. Everywhere else this file is a command:",
    "",
    "  rdinit --help      this text",
    "  rdinit --version   the version of rdinit, and of the runtime inside",
    "",
    "Parameters that /init reads from the kernel command line:",
    "",
    ...rows,
    "",
  ].join("\n");
}
