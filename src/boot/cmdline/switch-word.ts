/** Parameters that are on or off. */

import { text } from "../../lib/bytes.ts";
import { type Word, sameName } from "./cmdline.ts";

const VALUES = new Map([
  ...["0", "no", "off", "false"].map((value) => [value, false] as const),
  ...["1", "yes", "on", "true"].map((value) => [value, true] as const),
]);

/** Whether a value switches on or off; undefined for others. */
export function switchValue(value: string): boolean | undefined {
  return VALUES.get(value);
}

/** What the last word of this name says that makes sense, or else `unsaid`. Complaints are sentences. */
export function readSwitchWord(
  words: readonly Word[],
  { name, usage }: { readonly name: string; readonly usage: string },
  unsaid: boolean,
): { on: boolean; complaints: string[] } {
  let on = unsaid;
  const complaints: string[] = [];
  for (const { value = "" } of words.filter((word) => sameName(word.name, name))) {
    const said = value === "" || switchValue(value);
    if (said === undefined)
      complaints.push(`${name}=${text(value)} is ignored: it is neither 0 nor 1. Usage: ${usage}.`);
    else on = said;
  }
  return { on, complaints };
}
