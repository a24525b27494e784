/**
 * modules.alias: which modules serve a device, a filesystem or a cipher.
 *
 * Lines are `alias PATTERN MODULE` (depmod(8)). A whole kernel has some 25 000 of them, so they are
 * put into buckets by the characters that every subject of theirs must begin with, and only those
 * that are asked for are ever taken apart.
 */

import { globMatch } from "./glob.ts";
import { underscoredPattern, underscores } from "./names.ts";

/** The patterns of one modules.alias. Dashes and underscores are alike in it, as they are to modprobe(8). */
export class AliasIndex {
  private readonly lines = new Map<number, string[]>();
  private readonly buckets = new Map<number, Bucket>();

  /** `text` is the whole file; lines of any other form are passed over. */
  constructor(text: string) {
    for (const line of text.split("\n")) {
      if (!line.startsWith(KEYWORD)) continue;
      const id = bucketId(line, KEYWORD.length);
      const same = this.lines.get(id);
      if (same) same.push(line);
      else this.lines.set(id, [line]);
    }
  }

  /** The modules whose patterns fit `subject`, each once: those of the likeliest patterns in the order of the file. */
  match(subject: string): string[] {
    const plain = underscores(subject);
    const found = new Set<string>();
    for (const id of [bucketId(plain, 0), ANY])
      for (const { pattern, module } of this.candidates(id, plain))
        if (globMatch(pattern, plain)) found.add(module);
    return [...found];
  }

  /** False only when no pattern can fit a subject that begins with `prefix` (two characters or more of it count). */
  mayMatch(prefix: string): boolean {
    return this.lines.has(bucketId(underscores(prefix), 0)) || this.lines.has(ANY);
  }

  private candidates(id: number, subject: string): Alias[] {
    const lines = this.lines.get(id);
    if (!lines) return [];
    let bucket = this.buckets.get(id);
    if (!bucket) this.buckets.set(id, (bucket = sortOut(lines)));
    const found: Alias[] = [];
    for (const length of bucket.lengths) {
      const group = length <= subject.length ? bucket.byPrefix.get(subject.slice(0, length)) : undefined;
      if (group) found.push(...(group.aliases ??= group.lines.map((at) => parseAlias(lines, at))));
    }
    return found.sort((a, b) => a.at - b.at);
  }
}

interface Alias {
  readonly at: number;
  readonly pattern: string;
  readonly module: string;
}

/** Lines that begin alike, as places in their bucket; taken apart when first asked for. */
interface Group {
  readonly lines: number[];
  aliases?: readonly Alias[];
}

interface Bucket {
  /** How long the keys of `byPrefix` are. */
  readonly lengths: readonly number[];
  /** Groups by the characters before the first wildcard, as far as LONGEST_PREFIX. */
  readonly byPrefix: ReadonlyMap<string, Group>;
}

const KEYWORD = "alias ";

/** The bucket of patterns that have a wildcard among their first two characters. */
const ANY = -1;

// As far as "pci:v00008086d00001533": beyond it few patterns differ.
const LONGEST_PREFIX = 22;

function bucketId(line: string, at: number): number {
  const first = line.charCodeAt(at);
  const second = line.charCodeAt(at + 1);
  if (isWild(first) || isWild(second)) return ANY;
  return (withUnderscore(first) << 8) | withUnderscore(second);
}

// True past the end as well, and for the space behind a pattern of one character.
function isWild(code: number): boolean {
  return !(code > 0x20) || code === 0x2a || code === 0x3f || code === 0x5b || code === 0x5c;
}

function withUnderscore(code: number): number {
  return code === 0x2d ? 0x5f : code;
}

function sortOut(lines: readonly string[]): Bucket {
  const byPrefix = new Map<string, Group>();
  for (let at = 0; at < lines.length; at++) {
    const front = (lines[at] ?? "").slice(KEYWORD.length, KEYWORD.length + LONGEST_PREFIX);
    const end = front.search(/[*?[\\ ]/);
    const prefix = underscores(end < 0 ? front : front.slice(0, end));
    const group = byPrefix.get(prefix);
    if (group) group.lines.push(at);
    else byPrefix.set(prefix, { lines: [at] });
  }
  const lengths = new Set<number>();
  for (const prefix of byPrefix.keys()) lengths.add(prefix.length);
  return { lengths: [...lengths], byPrefix };
}

function parseAlias(lines: readonly string[], at: number): Alias {
  const line = lines[at] ?? "";
  const space = line.lastIndexOf(" ");
  return {
    at,
    pattern: underscoredPattern(line.slice(KEYWORD.length, space)),
    module: underscores(line.slice(space + 1)),
  };
}
