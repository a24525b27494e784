/** The words behind a command, held against the options that it has. */

import minimist from "minimist";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { didYouMean } from "../lib/nearest.ts";
import type { Call, Command, Option, Terminal } from "./command.ts";

/**
 * Reads `args` as a call of `command`.
 * @throws UserError for an option that it has not, a value that is missing or too much, and operands that are
 *   too few or too many
 */
export function parseCall(command: Command, args: readonly string[], terminal: Terminal): Call {
  const { options, name } = command;
  const takesValue = options.filter(({ value }) => value !== undefined).flatMap(namesOf);
  const end = args.indexOf("--");
  for (const word of end < 0 ? args : args.slice(0, end)) checkWord(word, command);
  const parsed = minimist([...args], {
    boolean: options.filter(({ value }) => value === undefined).flatMap(namesOf),
    string: ["_", ...takesValue],
    // Both names of an option are one, so that its values stay in their order.
    alias: Object.fromEntries(options.map((option) => [option.name, namesOf(option).slice(1)])),
    unknown: (word) => (isOption(word) ? refuse(word, command) : true),
  });
  const given = (option: Option) => {
    const value: unknown = parsed[option.name];
    return value === undefined || value === false ? [] : [value].flat();
  };
  const values = new Map(options.map((option) => [option.name, given(option)]));
  for (const option of options) checkValues(option, values.get(option.name) ?? []);

  const operands = parsed._;
  const [least, most] = command.operandCount;
  const usage = `Usage: rdinit ${name} ${command.operands}`.trimEnd();
  if (operands.length < least) throw new UserError(`'${name}' needs to be told more.`, `${usage}.`);
  if (operands.length > most)
    throw new UserError(`'${name}' has no use for '${text(operands[most] ?? "")}'.`, `${usage}.`);
  const strings = (option: string) =>
    (values.get(option) ?? []).filter((value): value is string => typeof value === "string");
  return {
    operands,
    value: (option) => strings(option).at(-1),
    values: strings,
    has: (option) => (values.get(option)?.length ?? 0) > 0,
    terminal,
  };
}

function namesOf({ name, short }: Option): string[] {
  return short === undefined ? [name] : [name, short];
}

function isOption(word: string): boolean {
  return word.startsWith("-") && word !== "-";
}

function optionName(word: string): string {
  return word.replace(/^-+/, "").replace(/[=.].*$/s, "");
}

// What minimist would take for something else than was meant.
function checkWord(word: string, command: Command): void {
  if (!isOption(word)) return;
  const name = optionName(word);
  // It looks its tables up by such names, and leaves an option out that has an opposite.
  if (name in {} || name.startsWith("no-")) refuse(word, command);
  // "=no" would turn a switch on.
  const known = command.options.find((option) => namesOf(option).includes(name));
  if (word.includes("=") && known !== undefined && known.value === undefined)
    throw new UserError(`--${known.name} takes no value.`, "Leave it out to have it off.");
}

function refuse(word: string, { name, options }: Command): never {
  const plain = optionName(word);
  const names = options.map((option) => option.name);
  const known = didYouMean(plain, names, `See rdinit ${name} --help.`);
  throw new UserError(
    `'${name}' has no option ${text(word)}.`,
    known.replace("Did you mean ", "Did you mean --"),
  );
}

function checkValues({ name, value, mayBeEmpty = false }: Option, given: readonly unknown[]): void {
  if (value === undefined) return;
  if (given.some((one) => typeof one !== "string" || (one === "" && !mayBeEmpty)))
    throw new UserError(
      `--${name} needs a value: --${name} ${value}.`,
      `A value that begins with - is written --${name}=${value}.`,
    );
}
