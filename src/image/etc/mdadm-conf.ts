/** mdadm.conf(5) cut down to what an image needs, following mdadm's own reader (config.c, conf_word() and conf_line()). */

import { dashUuid } from "../../lib/uuid.ts";

/**
 * The lines of `content` that matter where arrays are put together: those that say which devices and arrays there
 * are and what may be done with them, as they stand there. Of the ARRAY and SYSFS lines those go that name another
 * UUID than `wanted` (any spelling; all stay where it is undefined), but for the containers that wanted ones are
 * members of, and arrays that are to be ignored. What is for the monitor goes: MAILADDR, MAILFROM, PROGRAM,
 * MONITORDELAY; and comments.
 */
export function reduceMdadmConf(content: string, wanted: readonly string[] | undefined): string {
  const lines = logicalLines(content).filter(({ keyword }) => keyword === undefined || !MONITOR.has(keyword));
  const uuids = wanted && withContainers(lines, wanted.map(plainUuid));
  const kept = lines.filter(({ keyword, words }) => {
    if (uuids === undefined || (keyword !== "array" && keyword !== "sysfs")) return true;
    const uuid = tagged(words, "uuid");
    return uuid === undefined || words[1] === "<ignore>" || uuids.has(plainUuid(uuid));
  });
  return kept.map(({ text }) => text).join("");
}

/** A line with those that continue it. */
interface Line {
  /** The whole name of its keyword; undefined for one that is not known. */
  readonly keyword: string | undefined;
  /** All words, the keyword the first; quotes are taken off. */
  readonly words: readonly string[];
  readonly text: string;
}

// In the order in which mdadm compares them, which decides for abbreviations.
const KEYWORDS: readonly string[] = [
  ...["devices", "array", "mailaddr", "mailfrom", "program", "create", "homehost", "homecluster"],
  ...["auto", "policy", "part-policy", "sysfs", "monitordelay"],
];
const MONITOR: ReadonlySet<string> = new Set(["mailaddr", "mailfrom", "program", "monitordelay"]);
const SHORTEST_KEYWORD = 3;

// Empty lines and comments end nothing: what begins with a blank goes on the last line that does not.
function logicalLines(content: string): Line[] {
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

// A quote may stand anywhere in a word, # begins a comment only where a word would begin.
function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [word] of line.matchAll(/(?:[^ \t'"]|'[^']*(?:'|$)|"[^"]*(?:"|$))+/g)) {
    if (word.startsWith("#")) break;
    words.push(word.replace(/(['"])([^]*?)(?:\1|$)/g, "$2"));
  }
  return words;
}

function keywordOf(word: string): string | undefined {
  const lower = word.toLowerCase();
  return lower.length < SHORTEST_KEYWORD ? undefined : KEYWORDS.find((keyword) => keyword.startsWith(lower));
}

// A member names its container by UUID, or by a path that says nothing of it.
function withContainers(lines: readonly Line[], wanted: readonly string[]): ReadonlySet<string> {
  const uuids = new Set(wanted);
  for (const { words } of lines) {
    const container = tagged(words, "container");
    if (container !== undefined && uuids.has(plainUuid(tagged(words, "uuid") ?? "")))
      uuids.add(plainUuid(container));
  }
  return uuids;
}

function tagged(words: readonly string[], tag: string): string | undefined {
  return words.find((word) => word.toLowerCase().startsWith(`${tag}=`))?.slice(tag.length + 1);
}

// mdadm takes any punctuation between the digits.
function plainUuid(uuid: string): string {
  const digits = uuid.replace(/[:. -]/g, "").toLowerCase();
  return dashUuid(digits) ?? digits;
}
