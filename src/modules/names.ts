/** Names of kernel modules: the kernel takes - and _ for the same and always writes _. */

import { closingBracket } from "./glob.ts";

/** The kernel's name of the module in this file, or of a name as people write it: "kernel/crypto/af-alg.ko.xz" is "af_alg". */
export function moduleName(file: string): string {
  const start = file.lastIndexOf("/") + 1;
  const dot = file.indexOf(".", start);
  return underscores(file.slice(start, dot < 0 ? file.length : dot));
}

/** `name` with _ for -, for a name or an alias that holds no pattern. */
export function underscores(name: string): string {
  return name.includes("-") ? name.replaceAll("-", "_") : name;
}

/** `pattern` with _ for -, save within [...], where a dash says "to"; libkmod does it the same way. */
export function underscoredPattern(pattern: string): string {
  if (!pattern.includes("-")) return pattern;
  if (!pattern.includes("[")) return pattern.replaceAll("-", "_");
  let result = "";
  for (let at = 0; at < pattern.length;) {
    const close = pattern[at] === "[" ? closingBracket(pattern, at) : -1;
    const end = close < 0 ? at + 1 : close + 1;
    const part = pattern.slice(at, end);
    result += part === "-" ? "_" : part;
    at = end;
  }
  return result;
}
