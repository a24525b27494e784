/** The parameter that has the boot timed. */

import type { Word } from "../cmdline/cmdline.ts";
import { readSwitchWord } from "../cmdline/switch-word.ts";

/** As the help and the README show it (subsystems.ts). */
export const timingParameters = [
  {
    name: "rd.timing",
    usage: "rd.timing[=0|1]",
    meaning:
      "keep when each step, module, device and child began and ended, in /run/rdinit/timing.json, for `rdinit chart` (default 0)",
  },
] as const;

/** The last word counts. Complaints are sentences. */
export function readTimingSettings(words: readonly Word[]): { on: boolean; complaints: string[] } {
  return readSwitchWord(words, timingParameters[0], false);
}
