/** What the modules of an image may ask for and there is not, told in few words or in all. */

import { text } from "../lib/bytes.ts";

/** Firmware, or a module, that another module may want and can do without. All names are byte strings. */
export interface Lack {
  readonly kind: "firmware" | "module";
  readonly name: string;
  /** The module that may want it. */
  readonly wantedBy: string;
}

/** A sentence for each. */
export function lackSentences(lacks: readonly Lack[]): string[] {
  return lacks.map(({ kind, name, wantedBy }) =>
    kind === "firmware"
      ? `Firmware ${text(name)}, which ${text(wantedBy)} may ask for, is not installed.`
      : `Module ${text(name)}, which ${text(wantedBy)} would like, does not exist.`,
  );
}

/** The same; where there are many of a kind, one sentence for all: an image for any machine lacks dozens. */
export function lackNotes(lacks: readonly Lack[]): string[] {
  return KINDS.flatMap(({ kind, sentence }) => {
    const some = lacks.filter((lack) => lack.kind === kind);
    if (some.length <= MOST_SENTENCES) return lackSentences(some);
    const names = new Set(some.map(({ name }) => name));
    return [sentence(names.size, listed(new Set(some.map(({ wantedBy }) => wantedBy))))];
  });
}

const MOST_SENTENCES = 3;
const MOST_NAMES = 6;

const KINDS: readonly { kind: Lack["kind"]; sentence: (count: number, wantedBy: string) => string }[] = [
  {
    kind: "firmware",
    sentence: (count, wantedBy) =>
      `${count} files of firmware are not installed, which these modules may ask for: ${wantedBy}.`,
  },
  {
    kind: "module",
    sentence: (count, wantedBy) => `${count} modules do not exist, which these would like: ${wantedBy}.`,
  },
];

function listed(names: ReadonlySet<string>): string {
  const sorted = [...names].sort().map(text);
  const rest = sorted.length - MOST_NAMES;
  return rest > 1 ? `${sorted.slice(0, MOST_NAMES).join(", ")} and ${rest} more` : sorted.join(", ");
}
