/** mdadm.conf(5), read as mdadm itself reads it (config.c, conf_word() and conf_line()). */

import { dashUuid } from "../lib/uuid.ts";

/** A line with those that continue it. */
export interface ConfLine {
  /** The whole name of its keyword; undefined for one that is not known. */
  readonly keyword: string | undefined;
  /** All words, the keyword the first; quotes are taken off. */
  readonly words: readonly string[];
  readonly text: string;
}

/**
 * The lines of `content`, a byte string; comments and empty lines are none, and end nothing: what begins with a
 * blank goes on the last line that does not.
 */
export function readMdadmConf(content: string): ConfLine[] {
  const texts: string[] = [];
  for (const line of content.split("\n")) {
    if (/^[ \t]*(?:#|$)/.test(line)) continue;
    if (/^[ \t]/.test(line) && texts.length > 0) texts[texts.length - 1] += `${line}\n`;
    else texts.push(`${line}\n`);
  }
  return texts.map((text) => {
    const words = text.split("\n").flatMap(wordsOf);
    return { keyword: keywordOf(words[0] ?? ""), words, text };
  });
}

/** What stands behind `tag=` in a line, whatever the case of the tag. */
export function tagged(words: readonly string[], tag: string): string | undefined {
  return words.find((word) => word.toLowerCase().startsWith(`${tag}=`))?.slice(tag.length + 1);
}

/** A UUID with any punctuation between its digits, as mdadm takes it, in the spelling with dashes. */
export function plainUuid(uuid: string): string {
  const digits = uuid.replace(/[:. -]/g, "").toLowerCase();
  return dashUuid(digits) ?? digits;
}

// In the order in which mdadm compares them, which decides for abbreviations.
const KEYWORDS: readonly string[] = [
  ...["devices", "array", "mailaddr", "mailfrom", "program", "create", "homehost", "homecluster"],
  ...["auto", "policy", "part-policy", "sysfs", "monitordelay"],
];
const SHORTEST_KEYWORD = 3;

function keywordOf(word: string): string | undefined {
  const lower = word.toLowerCase();
  return lower.length < SHORTEST_KEYWORD ? undefined : KEYWORDS.find((keyword) => keyword.startsWith(lower));
}

// A quote may stand anywhere in a word, # begins a comment only where a word would begin.
function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [word] of line.matchAll(/(?:[^ \t'"]|'[^']*(?:'|$)|"[^"]*(?:"|$))+/g)) {
    if (word.startsWith("#")) break;
    words.push(word.replace(/(['"])([^]*?)(?:\1|$)/g, "$2"));
  }
  return words;
}
