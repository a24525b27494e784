/** What depmod(8) would write for the few modules of an image, taken from what it wrote for all. */

import { uncompressedName } from "../modules/decompress.ts";
import { builtinAliases } from "../modules/dep.ts";
import { moduleName, underscores } from "../modules/names.ts";
import type { Step } from "../modules/plan.ts";

/** The module's path in an image, below the modules directory; one that depmod found elsewhere goes into extra/. */
export function pathInImage(file: string): string {
  const path = uncompressedName(file);
  return path.startsWith("/") ? `extra/${path.slice(path.lastIndexOf("/") + 1)}` : path;
}

/**
 * The lists by name, each with just the modules of `steps`, whose files in the image have `endingOf` behind their names.
 * `read` gives the whole lists. Those of built-in modules stay whole, as these are in the kernel in any case; of their
 * descriptions only the aliases stay.
 */
export function reducedLists(
  read: (name: string) => string | undefined,
  steps: readonly Step[],
  endingOf: (file: string) => string = () => "",
): Map<string, string> {
  const names = new Set(steps.map(({ name }) => name));
  const keep = (list: string, nameOf: (line: string) => string) =>
    lines(read(list)).filter((line) => !line.startsWith("#") && names.has(nameOf(line)));
  const dep = keep("modules.dep", (line) => moduleName(line.slice(0, line.indexOf(":"))));
  return new Map([
    ["modules.dep", joined(dep.map((line) => rewriteDependencies(line, endingOf)))],
    ["modules.alias", joined(keep("modules.alias", lastWord))],
    ["modules.softdep", joined(keep("modules.softdep", secondWord))],
    [
      "modules.order",
      joined(keep("modules.order", moduleName).map((file) => pathInImage(file) + endingOf(file))),
    ],
    ["modules.builtin", read("modules.builtin") ?? ""],
    ["modules.builtin.modinfo", builtinModinfo(read("modules.builtin.modinfo") ?? "")],
  ]);
}

function secondWord(line: string): string {
  return underscores(line.split(" ")[1] ?? "");
}

function lastWord(line: string): string {
  return underscores(line.slice(line.lastIndexOf(" ") + 1));
}

function rewriteDependencies(line: string, endingOf: (file: string) => string): string {
  const colon = line.indexOf(":");
  const needs = line
    .slice(colon + 1)
    .split(" ")
    .filter(Boolean);
  const rewritten = (file: string): string => pathInImage(file) + endingOf(file);
  return `${rewritten(line.slice(0, colon))}:${needs.map((file) => ` ${rewritten(file)}`).join("")}`;
}

function builtinModinfo(modinfo: string): string {
  return lines(builtinAliases(modinfo))
    .map((line) => line.split(" "))
    .map(([, pattern = "", module = ""]) => `${module}.alias=${pattern}\0`)
    .join("");
}

function lines(text: string | undefined): string[] {
  return (text ?? "").split("\n").filter((line) => line !== "");
}

function joined(list: readonly string[]): string {
  return list.map((line) => `${line}\n`).join("");
}
