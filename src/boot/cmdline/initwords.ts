/**
 * What the real init gets of the kernel command line: its arguments, and its environment.
 *
 * Process 1 finds both as the kernel gave them to it (legacy.ts); here they are computed, for those who ask before
 * there is a kernel. Follows unknown_bootoption(), set_init_arg() and init_setup() of the kernel's init/main.c.
 */

import { type Word, splitCommandLine } from "./cmdline.ts";
import { isKernelParameter } from "./kernelwords.ts";
import { written } from "./options.ts";

/** Byte strings, as the kernel would write them. */
export interface InitWords {
  /** Behind argv[0]. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** The words that the kernel takes for itself, as far as is known (kernelwords.ts). */
  readonly taken: readonly string[];
  /** A sentence when there are more words than the kernel has room for: it panics then. */
  readonly overflow: string | undefined;
}

/** CONFIG_INIT_ENV_ARG_LIMIT, which no architecture of ours sets otherwise: that many arguments, or variables. */
const limit = 32;

/** What the kernel makes of a command line. */
export function initWords(line: string): InitWords {
  const { words, behind = [] } = splitCommandLine(line);
  const env = ["HOME=/", "TERM=linux"];
  const taken: string[] = [];
  let args: string[] = [];
  for (const word of words) {
    if (isKernelParameter(word)) taken.push(written(word));
    // A boot loader may have put words in front of it (init_setup(), rdinit_setup()).
    if (word.value !== undefined && (word.name === "init" || word.name === "rdinit")) args = [];
    // A name with a dot is a module's parameter, be it loaded or not.
    if (isKernelParameter(word) || word.name.includes(".")) continue;
    if (word.value === undefined) args.push(word.name);
    else setVariable(env, word);
  }
  args.push(...behind.map(written));
  return { args, env, taken, overflow: overflowOf(args.length, env.length) };
}

function setVariable(env: string[], word: Word): void {
  const at = env.findIndex((variable) => variable.startsWith(`${word.name}=`));
  env.splice(at < 0 ? env.length : at, 1, written(word));
}

function overflowOf(args: number, variables: number): string | undefined {
  const what = args > limit ? `arguments (${args})` : `variables (${variables})`;
  if (args <= limit && variables <= limit + 1) return undefined;
  return `The kernel command line holds more ${what} for the init than the ${limit} that the kernel takes, and it panics.`;
}
