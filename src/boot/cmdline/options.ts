/**
 * What the kernel command line asks of the early userspace.
 *
 * A value that makes no sense is reported and skipped, never fatal.
 */

import { text } from "../../lib/bytes.ts";
import { type Word, sameName } from "./cmdline.ts";
import type { Options } from "../context.ts";
import { foreignAdvice, isNeedless } from "./foreign-words.ts";
import { isForUs } from "../handover/oldroot.ts";
import { judgeDracutWord } from "./dracut-words.ts";
import { otherParameters, parameters } from "./parameters.ts";
import { subsystemParameters } from "./subsystems.ts";

export type { Options } from "../context.ts";

/** True for the name of a parameter that rdinit reads. */
export function isKnown(name: string): boolean {
  return [...parameters, ...subsystemParameters].some((one) => sameName(one.name, name));
}

/** Where words stand. What only the kernel or the real init would read is lost on an image. */
export type Place = "on the command line" | "in the image";

/** What these words set, begun from `options`, and a sentence for each word that could not be used. */
export function readOptions(
  words: readonly Word[],
  place: Place = "on the command line",
  options: Options = defaults,
): { options: Options; complaints: string[] } {
  let read = options;
  const complaints: string[] = [];
  // Last, and so stronger than what the kernel reads, too, wherever they stand.
  const inOrder = [...words.filter((word) => !isForUs(word)), ...words.filter(isForUs)];
  for (const word of inOrder) {
    const result = readWord(word, place, read);
    if (typeof result === "string") complaints.push(`${text(written(word))} ${place} is ignored: ${result}`);
    else read = { ...read, ...result };
  }
  return { options: read, complaints };
}

function readWord(word: Word, place: Place, options: Options): Partial<Options> | string {
  const parameter = parameters.find(({ name }) => sameName(name, word.name));
  if (parameter !== undefined) {
    const result = parameter.read(word.value, options);
    return typeof result === "string" ? `${result} Usage: ${parameter.usage}.` : result;
  }
  const isOthers = (name: string): boolean => sameName(name, word.name);
  if (otherParameters.some(isOthers) || subsystemParameters.some(({ name }) => isOthers(name))) return {};
  const foreign = foreignAdvice(word);
  if (foreign !== undefined) return foreign;
  if (isNeedless(word)) return {};
  const dracut = judgeDracutWord(word);
  if (dracut !== undefined) return dracut === "nothing to do" ? {} : dracut;
  if (word.name.startsWith("rd.")) return "this rdinit does not know it.";
  if (place === "on the command line" || word.name.includes(".")) return {};
  return "the kernel and the real init read nothing but the kernel command line, and rdinit has no use for it.";
}

const defaults: Options = {
  root: undefined,
  rootTypes: [],
  rootFlags: "",
  readOnly: true,
  deviceTimeout_ms: 30_000,
  rootDelay_ms: 0,
  hookTimeout_ms: 90_000,
  init: undefined,
  quiet: false,
  debug: false,
  info: false,
  trace: false,
  shell: undefined,
  breakAt: [],
  emergency: undefined,
};

/** The word as the kernel hands it on: without its quotes. */
export function written(word: Word): string {
  return word.value === undefined ? word.name : `${word.name}=${word.value}`;
}
