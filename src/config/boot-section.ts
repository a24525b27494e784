/** The section [boot] of rdinit.ini: parameters for /init, which the image holds and the kernel command line overrides. */

import { parseCommandLine, sameName } from "../boot/cmdline/cmdline.ts";
import { readOptions } from "../boot/cmdline/options.ts";
import { otherParameters, parameters } from "../boot/cmdline/parameters.ts";
import { subsystemComplaints, subsystemParameters } from "../boot/cmdline/subsystems.ts";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { didYouMean } from "../lib/nearest.ts";
import { type IniEntry, readSwitch } from "./ini-file.ts";

/**
 * The entries of [boot] as words of a kernel command line. A key is a parameter's name; of a parameter that takes
 * no value (`quiet`), yes and no say whether it is there.
 * @throws UserError for a key that /init does not know, and for a value that makes no sense
 */
export function bootWords(entries: readonly IniEntry[]): string[] {
  return entries.flatMap((entry) => {
    const word = wordOf(entry);
    if (word === undefined) return [];
    checkBootWords(word, entry.place);
    return [word];
  });
}

/**
 * Refuses words that /init would complain of or not know.
 * @throws UserError
 */
export function checkBootWords(line: string, place: string): void {
  for (const word of parseCommandLine(line)) if (!isKnown(word.name)) refuse(word.name, place);
  const words = parseCommandLine(line);
  const [complaint] = [...readOptions(words).complaints, ...subsystemComplaints(words)];
  if (complaint !== undefined)
    throw new UserError(
      `${place}: ${complaint.replace(" on the command line is ignored:", " makes no sense:")}`,
    );
}

function wordOf(entry: IniEntry): string | undefined {
  const { key, value, place } = entry;
  if (ROWS.some(({ name, usage }) => sameName(name, key) && usage === name))
    return readSwitch(entry) ? key : undefined;
  if (value === undefined) return key;
  if (value.includes('"') || /[\n\0]/.test(value))
    throw new UserError(
      `${place}: the value of ${text(key)} holds a character that a kernel parameter can't hold.`,
    );
  return /[ \t]/.test(value) ? `${key}="${value}"` : `${key}=${value}`;
}

const ROWS = [...parameters, ...subsystemParameters];
const NAMES = [...ROWS.map(({ name }) => name), ...otherParameters];

// A name with a dot belongs to a module, but for those below rd.
function isKnown(name: string): boolean {
  return NAMES.some((one) => sameName(one, name)) || (name.includes(".") && !name.startsWith("rd."));
}

function refuse(name: string, place: string): never {
  throw new UserError(
    `${place}: /init knows no parameter ${text(name)}.`,
    didYouMean(name, NAMES, "rdinit --help lists those that it knows."),
  );
}
