/** An ini file as entries that know their line: what a key means is for others to say. */

import ini from "ini";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";

/** One line with a key. All strings are byte strings. */
export interface IniEntry {
  /** "" above the first section. */
  readonly section: string;
  readonly key: string;
  /** Undefined for a key that stands alone, without =. */
  readonly value: string | undefined;
  /** Where it stands, for sentences: "/etc/rdinit.ini, line 7". */
  readonly place: string;
}

/**
 * Whether a switch is on; a key that stands alone is.
 * @throws UserError for what is neither yes nor no
 */
export function readSwitch({ key, value, place }: IniEntry): boolean {
  if (value === undefined || YES.has(value)) return true;
  if (NO.has(value)) return false;
  throw new UserError(`${place}: ${text(key)} is either yes or no, not '${text(value)}'.`);
}

const YES: ReadonlySet<string> = new Set(["yes", "true", "on", "1"]);
const NO: ReadonlySet<string> = new Set(["no", "false", "off", "0"]);

/**
 * The entries of an ini file in their order. Each line is read by the package ini (quotes, escapes, comments
 * behind ; or #); `key[] = value` is the same as `key = value`.
 * @throws UserError for a line that is neither a section, a key, a comment nor empty
 */
export function readIni(content: string, file: string): IniEntry[] {
  const entries: IniEntry[] = [];
  let section = "";
  for (const [at, raw] of content.split(/\r?\n/).entries()) {
    const line = raw.trim();
    const place = `${text(file)}, line ${at + 1}`;
    if (line === "" || /^[;#]/.test(line)) continue;
    const named = /^\[([^\]]*)\]$/.exec(line);
    if (named) {
      section = (named[1] ?? "").trim();
      continue;
    }
    // The package looks for the first = of all, be it in a comment.
    const words = ALONE.exec(line)?.[0] ?? line;
    const [pair, more] = Object.entries(ini.parse(words));
    if (!pair || more || line.startsWith("["))
      throw new UserError(`${place}: '${text(line)}' is neither a [section] nor KEY = VALUE.`);
    const [key, value] = pair;
    entries.push({ section, key, value: words.includes("=") ? String(value) : undefined, place });
  }
  return entries;
}

/** A key without a value, up to the comment behind it. */
const ALONE = /^[^="\\;#]+(?=[;#])/;
