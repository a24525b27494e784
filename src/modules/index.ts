/** All that is known about the modules of one kernel, each file read when it is first asked for. */

import { AliasIndex } from "./alias.ts";
import { type ModuleConfig, readConfig, type ConfigFile, type ParameterWord } from "./config.ts";
import { builtinAliases, DepIndex, parseBuiltin, type Module } from "./dep.ts";
import { globMatch } from "./glob.ts";
import { underscores } from "./names.ts";

/** Where the knowledge comes from. */
export interface IndexSource {
  /** The text of a file of the modules directory ("modules.dep"), undefined where there is none. */
  readonly read: (name: string) => string | undefined;
  /** The files of modprobe.d in their order. */
  readonly config: readonly ConfigFile[];
  /** The words of the kernel's command line. */
  readonly words: readonly ParameterWord[];
}

/** What a name stands for. */
export interface Resolution {
  /** Modules by name, in the order to load them. */
  readonly modules: readonly string[];
  /** True when the name was an alias, to which a blacklist applies; an alias may have been turned off. */
  readonly viaAlias: boolean;
}

/** The index over one modules directory. */
export class ModuleIndex {
  readonly config: ModuleConfig;
  private readonly source: IndexSource;
  private depIndex: DepIndex | undefined;
  private aliasIndex: AliasIndex | undefined;
  private builtinNames: Set<string> | undefined;
  private builtinAliasIndex: AliasIndex | undefined;

  constructor(source: IndexSource) {
    this.source = source;
    this.config = readConfig([...this.depmodConfig(), ...source.config], source.words);
  }

  /** The module of this name (with _), when it is a file. */
  module(name: string): Module | undefined {
    return this.dep().get(name);
  }

  /** True for a module (with _) that is part of the kernel. */
  isBuiltin(name: string): boolean {
    this.builtinNames ??= parseBuiltin(this.source.read("modules.builtin") ?? "");
    return this.builtinNames.has(name);
  }

  /**
   * What a module's name, alias or modalias stands for, looked for where modprobe(8) looks and in its order:
   * `alias` lines of the configuration, modules, the modules' own aliases, built-in modules, their aliases.
   */
  resolve(name: string): Resolution {
    const plain = underscores(name);
    const configured = this.config.aliases.filter(({ pattern }) => globMatch(pattern, plain));
    if (configured.length > 0) return this.viaAlias(configured.map(({ module }) => module));
    const module = plain.replace(/\.ko(?:\.[a-z0-9]+)?$/, "");
    if (this.dep().has(module)) return { modules: [module], viaAlias: false };
    const modules = this.aliases().match(plain);
    if (modules.length > 0) return this.viaAlias(modules);
    return { modules: [], viaAlias: false };
  }

  /**
   * True when the name is a module or an alias of one, or part of the kernel. Apart from `resolve`, as what
   * is part of the kernel takes longer to find out, and a device that nothing serves need not wait for it.
   */
  isKnown(name: string): boolean {
    const { modules, viaAlias } = this.resolve(name);
    const plain = underscores(name);
    return modules.length > 0 || viaAlias || this.isBuiltin(plain) || this.isBuiltinAlias(plain);
  }

  /** False only when nothing can be known of aliases that begin with `scheme`, as in "pci:v00001AF4…". */
  mayResolve(scheme: string): boolean {
    return this.config.aliases.length > 0 || this.aliases().mayMatch(scheme);
  }

  private aliases(): AliasIndex {
    return (this.aliasIndex ??= new AliasIndex(this.source.read("modules.alias") ?? ""));
  }

  private viaAlias(modules: readonly string[]): Resolution {
    return { modules: modules.filter((module) => module !== "off"), viaAlias: true };
  }

  private isBuiltinAlias(name: string): boolean {
    this.builtinAliasIndex ??= new AliasIndex(
      builtinAliases(this.source.read("modules.builtin.modinfo") ?? ""),
    );
    return this.builtinAliasIndex.match(name).length > 0;
  }

  private dep(): DepIndex {
    return (this.depIndex ??= new DepIndex(this.source.read("modules.dep") ?? ""));
  }

  private depmodConfig(): ConfigFile[] {
    return ["modules.softdep", "modules.weakdep"].map((name) => ({
      name,
      text: this.source.read(name) ?? "",
    }));
  }
}
