/**
 * What depmod(8) writes about modules and what the kernel's build writes about built-in ones:
 * modules.dep, modules.builtin and modules.builtin.modinfo.
 */

import { moduleName, underscores } from "./names.ts";

/** One module of modules.dep. */
export interface Module {
  readonly name: string;
  /** Below the modules directory, or absolute where depmod wrote it so. */
  readonly file: string;
  /** All modules that must be there first, also those that these need, in the order to load them. */
  readonly needs: readonly string[];
}

/** modules.dep(5): `FILE: FILE...`, each line with the whole closure, the last to be loaded first. */
export class DepIndex {
  private readonly lines = new Map<string, string>();

  /** `text` is the whole file; lines without a colon are passed over. */
  constructor(text: string) {
    for (const line of text.split("\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) this.lines.set(moduleName(line.slice(0, colon)), line);
    }
  }

  /** The module of this name, written with _. */
  get(name: string): Module | undefined {
    const line = this.lines.get(name);
    if (line === undefined) return undefined;
    const colon = line.indexOf(":");
    const files = line
      .slice(colon + 1)
      .split(/[ \t]+/)
      .filter(Boolean);
    return { name, file: line.slice(0, colon), needs: files.toReversed().map(moduleName) };
  }

  has(name: string): boolean {
    return this.lines.has(name);
  }

  /** The names of all modules, in the order of the file. */
  names(): string[] {
    return [...this.lines.keys()];
  }
}

/** modules.builtin: one path a line. The names of the modules that are part of the kernel itself. */
export function parseBuiltin(text: string): Set<string> {
  const names = new Set<string>();
  for (const line of text.split("\n")) if (line !== "") names.add(moduleName(line));
  return names;
}

/**
 * modules.builtin.modinfo, NUL-separated `MODULE.KEY=VALUE` (Documentation/kbuild/kbuild.rst):
 * the aliases in it, as the text of a modules.alias.
 */
export function builtinAliases(modinfo: string): string {
  let lines = "";
  for (const entry of modinfo.split("\0")) {
    const dot = entry.indexOf(".");
    if (dot > 0 && entry.startsWith("alias=", dot + 1))
      lines += `alias ${entry.slice(dot + 7)} ${underscores(entry.slice(0, dot))}\n`;
  }
  return lines;
}
