/** Parameters that are on or off. */

import { text } from "../lib/bytes.ts";
import { type Word, sameName } from "./cmdline.ts";

const VALUES = new Map([
  ...["0", "no", "off"].map((value) => [value, false] as const),
  ...["1", "yes", "on", ""].map((value) => [value, true] as const),
]);

/** What the last word of this name says that makes sense, or else `unsaid`. Complaints are sentences. */
export function readSwitchWord(
  words: readonly Word[],
  { name, usage }: { readonly name: string; readonly usage: string },
  unsaid: boolean,
): { on: boolean; complaints: string[] } {
  let on = unsaid;
  const complaints: string[] = [];
  for (const { value = "" } of words.filter((word) => sameName(word.name, name))) {
    const said = VALUES.get(value);
    if (said === undefined)
      complaints.push(`${name}=${text(value)} is ignored: it is neither 0 nor 1. Usage: ${usage}.`);
    else on = said;
  }
  return { on, complaints };
}
