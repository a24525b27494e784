/** The text that LVM's metadata is written in: sections, and values with names (lvm.conf(5); libdm/libdm-config.c). */

export type Value = string | number | readonly (string | number)[];

/** What stands between two braces, or in a whole text. A name that stands twice counts as it stands last. */
export interface Section {
  readonly values: ReadonlyMap<string, Value>;
  readonly sections: ReadonlyMap<string, Section>;
}

/** Reads a whole text, a byte string; a string says what is wrong with it, as a clause. Never throws. */
export function parseText(source: string): Section | string {
  const reader = new TextReader(source.replace(/\0+$/, ""));
  try {
    return reader.readSection(0);
  } catch (error) {
    if (error instanceof Unreadable) return `byte ${reader.at} ${error.message}`;
    throw error;
  }
}

/** The text of a name, undefined when it is none. */
export function textOf(section: Section | undefined, name: string): string | undefined {
  const value = section?.values.get(name);
  return typeof value === "string" ? value : undefined;
}

/** The texts in the list of a name; a text alone is a list of one. */
export function textsOf(section: Section | undefined, name: string): string[] {
  const value = section?.values.get(name);
  const all = Array.isArray(value) ? value : [value];
  return all.filter((one): one is string => typeof one === "string");
}

// Metadata nests to four.
const deepest = 16;

class Unreadable extends Error {}

class TextReader {
  at = 0;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  readSection(depth: number): Section {
    if (depth > deepest) throw new Unreadable("lies in too many sections");
    const values = new Map<string, Value>();
    const sections = new Map<string, Section>();
    for (;;) {
      this.skipBlanks();
      if (this.at === this.source.length) {
        if (depth > 0) throw new Unreadable("is the end, and a section is still open");
        return { values, sections };
      }
      if (depth > 0 && this.take("}")) return { values, sections };
      const name = this.readName();
      this.skipBlanks();
      if (this.take("{")) sections.set(name, this.readSection(depth + 1));
      else if (this.take("=")) values.set(name, this.readValue());
      else throw new Unreadable("should be { or =");
    }
  }

  private readName(): string {
    const name = this.match(/[^\s{}[\]=#",]+/y);
    if (name === undefined) throw new Unreadable("should begin a name");
    return name;
  }

  private readValue(): Value {
    this.skipBlanks();
    if (!this.take("[")) return this.readWord();
    const values: (string | number)[] = [];
    for (;;) {
      this.skipBlanks();
      if (this.take("]")) return values;
      values.push(this.readWord());
      this.skipBlanks();
      if (!this.take(",") && this.source[this.at] !== "]") throw new Unreadable("should be , or ]");
    }
  }

  private readWord(): string | number {
    const quoted = this.match(/"[^"\\]*(?:\\[^][^"\\]*)*"/y);
    if (quoted !== undefined) return quoted.slice(1, -1).replace(/\\(["\\])/g, "$1");
    const number = this.match(/[+-]?\d+(?:\.\d*)?/y);
    if (number === undefined) throw new Unreadable("should begin a number or a text");
    return Number(number);
  }

  private skipBlanks(): void {
    do this.match(/\s+/y);
    while (this.match(/#[^\n]*/y) !== undefined);
  }

  private take(letter: string): boolean {
    if (this.source[this.at] !== letter) return false;
    this.at++;
    return true;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }
}
