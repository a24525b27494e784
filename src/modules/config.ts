/**
 * What people say about modules: modprobe.d(5), depmod's modules.softdep in the same language, and
 * the kernel's command line.
 *
 * Nothing is ever executed: `install` with a command that only succeeds or fails means "never load
 * this module", as distributions use it; any other command is named in a note and left out.
 */

import { underscoredPattern, underscores } from "./names.ts";

/** A file of modprobe.d or modules.softdep: its name for notes, and its text. */
export interface ConfigFile {
  readonly name: string;
  readonly text: string;
}

/** A word of the kernel's command line; `value` is undefined for a bare word. */
export interface ParameterWord {
  readonly name: string;
  readonly value: string | undefined;
}

/** Everything that was said about modules. All names are written with _. */
export interface ModuleConfig {
  /** `alias` lines: they come before those of the modules themselves. */
  readonly aliases: readonly { readonly pattern: string; readonly module: string }[];
  /** Modules not to be loaded for an alias (and so not for a device). */
  readonly blacklist: ReadonlySet<string>;
  /** Modules never to be loaded, with the reason as the end of a sentence. */
  readonly never: ReadonlyMap<string, string>;
  /** Parameters by the name of a module, or by an alias it is loaded for. */
  readonly options: ReadonlyMap<string, string>;
  /** Soft dependencies: to be loaded before, and after, where they exist. */
  readonly pre: ReadonlyMap<string, readonly string[]>;
  readonly post: ReadonlyMap<string, readonly string[]>;
  /** Weak dependencies: the kernel may ask for them, so an image should hold them. */
  readonly weak: ReadonlyMap<string, readonly string[]>;
  /** rd.driver.pre= and rd.driver.post=: modules to load before and after all others. */
  readonly first: readonly string[];
  readonly last: readonly string[];
  /** Sentences about lines that were left out. */
  readonly notes: readonly string[];
}

/**
 * Reads the files in their order, then the command line.
 * - `MODULE.PARAMETER[=VALUE]` becomes a parameter of that module, as modprobe(8) does it;
 * - `modprobe.blacklist=`, `rd.driver.blacklist=`: as `blacklist`; `module_blacklist=`: never, as the kernel
 *   itself would refuse; `rd.driver.pre=`, `rd.driver.post=`: dracut.cmdline(7). All are lists with commas.
 */
export function readConfig(files: readonly ConfigFile[], words: readonly ParameterWord[]): ModuleConfig {
  const draft: Draft = {
    aliases: [],
    blacklist: new Set(),
    never: new Map(),
    options: new Map(),
    pre: new Map(),
    post: new Map(),
    weak: new Map(),
    first: [],
    last: [],
    notes: [],
  };
  for (const file of files)
    for (const line of logicalLines(file.text)) {
      const problem = readLine(draft, line);
      if (problem) draft.notes.push(`${file.name}: ${problem}`);
    }
  for (const word of words) readWord(draft, word);
  return draft;
}

interface Draft extends ModuleConfig {
  readonly aliases: { pattern: string; module: string }[];
  readonly blacklist: Set<string>;
  readonly never: Map<string, string>;
  readonly options: Map<string, string>;
  readonly pre: Map<string, string[]>;
  readonly post: Map<string, string[]>;
  readonly weak: Map<string, string[]>;
  readonly first: string[];
  readonly last: string[];
  readonly notes: string[];
}

// Lines as modprobe.d(5) counts them: a \ at the end of one draws in the next; comments and empty ones are out.
function logicalLines(text: string): string[] {
  return text
    .replace(/\\\n/g, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

// What is wrong with the line, if anything.
function readLine(draft: Draft, line: string): string | undefined {
  const [command = "", given = ""] = line.split(/[ \t]+/, 2);
  const module = underscoredPattern(given);
  const rest = line.replace(/^\S+[ \t]+\S+[ \t]*/, "");
  if (given === "") return `"${line}" lacks a module and is left out.`;
  switch (command) {
    case "blacklist":
      draft.blacklist.add(module);
      return undefined;
    case "options":
      append(draft.options, module, rest);
      return undefined;
    case "alias":
      draft.aliases.push({ pattern: module, module: underscores(rest) });
      return undefined;
    case "softdep":
      return readSoftdep(draft, module, rest);
    case "weakdep":
      push(draft.weak, module, rest.split(/\s+/));
      return undefined;
    case "install":
      return readInstall(draft, module, rest);
    case "remove":
      return undefined;
    default:
      return `"${command}" is no command of modprobe.d and its line is left out.`;
  }
}

function readSoftdep(draft: Draft, module: string, rest: string): undefined {
  let target: Map<string, string[]> | undefined;
  for (const word of rest.split(/\s+/)) {
    if (word === "pre:") target = draft.pre;
    else if (word === "post:") target = draft.post;
    else if (target && word !== "") push(target, module, [word]);
  }
}

function readInstall(draft: Draft, module: string, command: string): string | undefined {
  const program = command.split(/[\s;]/, 1)[0] ?? "";
  if (!/^(?:(?:\/usr)?\/bin\/)?(?:true|false)$|^:$/.test(program))
    return `the command to install ${module} ("${command}") is not run: modules are only ever loaded.`;
  draft.never.set(module, `"install ${module} ${command}" says never to load it`);
  return undefined;
}

function readWord(draft: Draft, word: ParameterWord): void {
  const { value } = word;
  const name = underscores(word.name);
  if (name === "modprobe.blacklist" || name === "rd.driver.blacklist") {
    for (const module of commaList(value)) draft.blacklist.add(underscores(module));
  } else if (name === "module_blacklist") {
    for (const module of commaList(value))
      draft.never.set(module, "module_blacklist= on the kernel command line forbids it");
  } else if (name === "rd.driver.pre") {
    draft.first.push(...commaList(value).map(underscores));
  } else if (name === "rd.driver.post") {
    draft.last.push(...commaList(value).map(underscores));
  } else {
    const [, module, parameter] = /^([^.]+)\.([^.]+)$/.exec(word.name) ?? [];
    if (module && parameter) append(draft.options, underscores(module), parameterText(parameter, value));
  }
}

// The kernel cuts a module's parameters at blanks again, so a value that has some goes back into its quotes.
function parameterText(parameter: string, value: string | undefined): string {
  if (value === undefined) return parameter;
  return /\s/.test(value) ? `${parameter}="${value}"` : `${parameter}=${value}`;
}

function commaList(value: string | undefined): string[] {
  return (value ?? "").split(",").filter(Boolean);
}

function append(map: Map<string, string>, key: string, more: string): void {
  if (more === "") return;
  const old = map.get(key);
  map.set(key, old === undefined ? more : `${old} ${more}`);
}

function push(map: Map<string, string[]>, key: string, more: readonly string[]): void {
  const list = map.get(key);
  if (list) list.push(...more);
  else map.set(key, [...more]);
}
