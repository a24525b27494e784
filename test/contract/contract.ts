/**
 * What every Syscalls must do, checked by doing it.
 *
 * A case makes calls and says what must come of them; each leaves a line in a transcript. Two ways of
 * making system calls keep the contract when both pass and their transcripts are the same.
 */

import { recorded } from "../../syscalls/failing.ts";
import { type Syscalls, SysError } from "../../syscalls/index.ts";
import type { Method } from "../../syscalls/methods.ts";

/** Who runs the cases: root in a mount and a network namespace of its own, or a user without any privilege. */
export type Role = "root" | "user";

/** What the cases need of their surroundings besides the calls. */
export interface World {
  readonly role: Role;
  /** An empty directory for the cases, an absolute path. For root it is a tmpfs of its own. */
  readonly dir: string;
  readonly pid: number;
  /** Of uname(2). */
  readonly release: string;
  /** A device that is a terminal for whoever opens it. */
  readonly terminal: string;
  /** Makes a child of this process that nobody else will reap, and returns its pid. */
  orphan(fate: { readonly exits: number } | "stays"): number;
}

export interface Case {
  readonly name: string;
  /** Only in this role; in both by default. */
  readonly role?: Role;
  /** Why the fake kernel can't run it. */
  readonly notFaked?: string;
  run(t: Trial): void | Promise<void>;
}

/** What came of a contract. */
export interface Outcome {
  readonly transcript: readonly string[];
  /** The methods that were called. */
  readonly called: ReadonlySet<Method>;
}

/**
 * Runs cases, each in an empty directory which is the working directory then.
 * @throws Error naming the case and the call at the first that does not keep the contract
 */
export async function runContract(sys: Syscalls, world: World, cases: readonly Case[]): Promise<Outcome> {
  const recording = recorded(sys);
  const transcript: string[] = [];
  for (const [i, each] of cases.entries()) {
    if (each.role !== undefined && each.role !== world.role) continue;
    const dir = `${world.dir}/${i}`;
    sys.mkdir(dir, 0o755);
    sys.chdir(dir);
    await each.run(new Trial(recording.sys, world, dir, (line) => transcript.push(`${each.name}: ${line}`)));
    sys.chdir(world.dir);
  }
  return { transcript, called: new Set(recording.calls.map((call) => call.name)) };
}

/** A case under way. */
export class Trial {
  readonly sys: Syscalls;
  readonly world: World;
  /** The case's own directory, empty at first, and the working directory. */
  readonly dir: string;
  private readonly write: (line: string) => void;

  constructor(sys: Syscalls, world: World, dir: string, write: (line: string) => void) {
    this.sys = sys;
    this.world = world;
    this.dir = dir;
    this.write = write;
  }

  /** The call succeeds; what it returns differs from run to run. */
  works<T>(what: string, call: () => T): T {
    const result = this.attempt(what, call);
    this.write(`${what} works`);
    return result;
  }

  /** The call returns exactly this. */
  returns(what: string, expected: unknown, call: () => unknown): void {
    this.compare(what, expected, this.attempt(what, call));
  }

  /** The call fails with this errno, or with one of these where kernels differ. */
  fails(what: string, codes: string | readonly string[], call: () => unknown): void {
    let result: unknown;
    try {
      result = call();
    } catch (error) {
      return this.judge(what, codes, error);
    }
    throw new Error(`${what}: must fail with ${String(codes)}, but returned ${show(result)}`);
  }

  async returnsLater(what: string, expected: unknown, call: () => Promise<unknown>): Promise<void> {
    const result = await call();
    this.compare(what, expected, result);
  }

  async failsLater(
    what: string,
    codes: string | readonly string[],
    call: () => Promise<unknown>,
  ): Promise<void> {
    let result: unknown;
    try {
      result = await call();
    } catch (error) {
      return this.judge(what, codes, error);
    }
    throw new Error(`${what}: must fail with ${String(codes)}, but returned ${show(result)}`);
  }

  private attempt<T>(what: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw new Error(`${what}: must work, but failed: ${String(error)}`, { cause: error });
    }
  }

  private compare(what: string, expected: unknown, result: unknown): void {
    if (show(result) !== show(expected))
      throw new Error(`${what}: must return ${show(expected)}, but returned ${show(result)}`);
    this.write(`${what} returns ${show(result)}`);
  }

  private judge(what: string, codes: string | readonly string[], error: unknown): void {
    if (!(error instanceof SysError) || ![codes].flat().includes(error.code))
      throw new Error(`${what}: must fail with ${String(codes)}, but did with ${String(error)}`, {
        cause: error,
      });
    const path = error.path?.replaceAll(this.dir, "DIR");
    this.write(`${what} fails: ${error.syscall} ${error.errno} ${error.code} ${show(path)}`);
  }
}

/** Any value as text, the same under every runtime. */
function show(value: unknown): string {
  return JSON.stringify(value, plain) ?? "undefined";
}

function plain(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}
