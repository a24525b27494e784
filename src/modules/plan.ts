/** The order in which modules are loaded. */

import type { ModuleIndex } from "./index.ts";
import { underscores } from "./names.ts";

/** One module to load. All names in it are of steps that come earlier in the plan. */
export interface Step {
  readonly name: string;
  /** Its file, as modules.dep has it. */
  readonly file: string;
  /** Parameters as finit_module(2) takes them. */
  readonly parameters: string;
  /** Modules without which it can't be loaded. */
  readonly needs: readonly string[];
  /** Modules to wait for that it can do without: soft dependencies. */
  readonly after: readonly string[];
}

/** A name that is no module, no alias of one and not part of the kernel. */
export interface Missing {
  readonly name: string;
  /** The module whose soft dependency it is; undefined when it was asked for. */
  readonly wantedBy: string | undefined;
}

/** A module that won't be loaded. */
export interface Refused {
  readonly name: string;
  /** The reason, as the end of a sentence. */
  readonly why: string;
}

/** What to load, in an order that keeps every dependency. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly missing: readonly Missing[];
  readonly refused: readonly Refused[];
  /** Dependencies that go round in a circle, each as the modules along it; its last link is ignored. */
  readonly cycles: readonly (readonly string[])[];
}

/**
 * Plans to load `wanted` (names of modules, aliases, modaliases) and all they need but `already` has (names
 * with _). Soft dependencies come along where they exist (modprobe.d(5)), those of all softdep lines of a
 * module where modprobe(8) heeds only the first: here no kernel can ask for the rest later. A blacklist applies
 * to modules reached by an alias and to soft dependencies, never to what a module needs.
 */
export function planModules(
  index: ModuleIndex,
  wanted: Iterable<string>,
  already: ReadonlySet<string>,
): Plan {
  const planner = new Planner(index, already);
  for (const name of wanted) planner.want(name, undefined);
  return planner.plan();
}

/** What was decided about a module: it is a step, nothing is to be done, or why it can't be had. */
type Decision = "step" | "there" | { readonly why: string };

class Planner {
  private readonly index: ModuleIndex;
  private readonly already: ReadonlySet<string>;
  private readonly steps: Step[] = [];
  private readonly missing: Missing[] = [];
  private readonly refused = new Map<string, string>();
  private readonly cycles: string[][] = [];
  private readonly decided = new Map<string, Decision>();
  /** The modules being looked at, each wanted by the one before. */
  private readonly path: string[] = [];

  constructor(index: ModuleIndex, already: ReadonlySet<string>) {
    this.index = index;
    this.already = already;
  }

  plan(): Plan {
    // A blacklisted module is loaded all the same when another one needs it.
    const refused = [...this.refused].filter(([name]) => this.decided.get(name) !== "step");
    const { steps, missing, cycles } = this;
    return { steps, missing, cycles, refused: refused.map(([name, why]) => ({ name, why })) };
  }

  /** Plans what `name` stands for, to be loaded after those modules; returns the modules of it that are steps. */
  want(name: string, wantedBy: string | undefined, after: readonly string[] = []): string[] {
    const { modules, viaAlias } = this.index.resolve(name);
    if (modules.length === 0 && !this.index.isKnown(name)) this.missing.push({ name, wantedBy });
    const obeysBlacklist = viaAlias || wantedBy !== undefined;
    const alias = viaAlias ? underscores(name) : undefined;
    return modules.filter((module) => {
      if (obeysBlacklist && this.index.config.blacklist.has(module)) {
        this.refused.set(module, "it is blacklisted");
        return false;
      }
      return this.visit(module, alias, after) === "step";
    });
  }

  private visit(name: string, alias: string | undefined, after: readonly string[]): Decision {
    const known = this.decided.get(name);
    if (known) return known;
    const start = this.path.indexOf(name);
    if (start >= 0) {
      this.cycles.push([...this.path.slice(start), name]);
      return "there";
    }
    this.path.push(name);
    const decision = this.decide(name, alias, after);
    this.path.pop();
    this.decided.set(name, decision);
    if (typeof decision === "object") this.refused.set(name, decision.why);
    else if (decision === "step")
      for (const soft of this.index.config.post.get(name) ?? []) this.want(soft, name, [name]);
    return decision;
  }

  private decide(name: string, alias: string | undefined, after: readonly string[]): Decision {
    if (this.already.has(name)) return "there";
    const { config } = this.index;
    const module = this.index.module(name);
    if (!module) return this.index.isBuiltin(name) ? "there" : { why: "modules.dep does not list it" };
    const never = config.never.get(name);
    if (never !== undefined) return { why: never };

    const needs: string[] = [];
    for (const need of module.needs) {
      const found = this.visit(need, undefined, []);
      if (typeof found === "object") return { why: `it needs ${need}, and of that: ${found.why}` };
      if (found === "step") needs.push(need);
    }
    const before = (config.pre.get(name) ?? []).flatMap((soft) => this.want(soft, name));
    const parameters = [config.options.get(name), alias && config.options.get(alias)];
    this.steps.push({
      name,
      file: module.file,
      parameters: parameters.filter(Boolean).join(" "),
      needs,
      after: [...new Set([...after, ...before])].filter((other) => !needs.includes(other)),
    });
    return "step";
  }
}
