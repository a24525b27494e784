/**
 * The shared libraries that programs need, found inside a root as ld.so(8) would find them there.
 *
 * Libraries that a program opens while it runs can't be seen this way, with one exception: glibc opens
 * libgcc_s.so.1 when a thread is cancelled or ends itself, and aborts where it is missing.
 */

import { toolDirectories } from "../boot/children/spawn.ts";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { ElfError, parseElf, type Elf } from "./elf.ts";
import { LibraryPath } from "./library-path.ts";
import type { FileTree, Link, Resolved } from "./file-tree.ts";

/** A library that is nowhere in the root. */
export interface MissingLibrary {
  readonly name: string;
  /** The file that needs it. */
  readonly neededBy: string;
}

/** All that has to be in an image for some programs to run. Paths are absolute within the root. */
export interface Closure {
  /** Programs, libraries and interpreters, by path and without symlinks in it. */
  readonly files: ReadonlyMap<string, Resolved>;
  /** The symlinks that lead to them. */
  readonly links: ReadonlyMap<string, Link>;
  /** The file that needs each of `files`, by path; the programs that were asked for have none. */
  readonly neededBy: ReadonlyMap<string, string>;
  readonly missing: readonly MissingLibrary[];
}

/** Finds what programs of one root need. Each ELF file is read once, whoever needs it. */
export class LibraryFinder {
  private readonly root: FileTree;
  private readonly searchPath: LibraryPath;
  private readonly elves = new Map<string, Elf | undefined>();

  constructor(root: FileTree) {
    this.root = root;
    this.searchPath = new LibraryPath(root);
  }

  /**
   * The programs at these paths with all they need: libraries, program interpreters, and the interpreters that
   * scripts name in their first line.
   * @throws UserError when a program is not there, or when an ELF file is damaged
   */
  find(programs: readonly string[]): Closure {
    const closure = new Collector(this.root, this.searchPath, this.elves);
    for (const program of programs) closure.program(program);
    return closure;
  }
}

/** A loaded object and the one that brought it, up to the program. */
interface LoadedObject {
  readonly path: string;
  readonly elf: Elf;
  readonly loader: LoadedObject | undefined;
}

const LIBGCC = "libgcc_s.so.1";
const DF_1_NODEFLIB = 0x800;

class Collector implements Closure {
  readonly files = new Map<string, Resolved>();
  readonly links = new Map<string, Link>();
  readonly neededBy = new Map<string, string>();
  readonly missing: MissingLibrary[] = [];
  private readonly root: FileTree;
  private readonly searchPath: LibraryPath;
  private readonly programs = new Set<string>();
  private readonly elves: Map<string, Elf | undefined>;

  constructor(root: FileTree, searchPath: LibraryPath, elves: Map<string, Elf | undefined>) {
    this.root = root;
    this.searchPath = searchPath;
    this.elves = elves;
  }

  program(path: string, namedBy?: string): void {
    const file = this.take(path, namedBy);
    if (!file) {
      const why = namedBy === undefined ? "" : `, which ${text(namedBy)} needs,`;
      throw new UserError(`The program ${text(path)}${why} does not exist.`, "Install it, or leave it out.");
    }
    if (this.programs.has(file.path)) return;
    this.programs.add(file.path);
    const elf = this.elf(file.path);
    if (elf) this.load({ path: file.path, elf, loader: undefined });
    else this.script(file.path);
  }

  private script(path: string): void {
    const head = Buffer.from(this.root.read(path)?.subarray(0, 256) ?? []).toString("latin1");
    const [, interpreter, argument = ""] = /^#![ \t]*(\S+)(.*)/.exec(head) ?? [];
    if (interpreter === undefined) return;
    this.program(interpreter, path);
    const name = interpreter.endsWith("/env") ? commandOfEnv(argument) : undefined;
    if (name === undefined) return;
    const found = toolDirectories
      .map((directory) => `${directory}/${name}`)
      .find((candidate) => this.root.resolve(candidate));
    this.program(found ?? name, path);
  }

  // As ld.so does: breadth first, and a name that was loaded once serves everybody.
  private load(program: LoadedObject): void {
    const { interpreter } = program.elf;
    if (interpreter !== undefined && !this.take(interpreter, program.path))
      this.missing.push({ name: interpreter, neededBy: program.path });
    const loaded = new Set<string>();
    const queue = [program];
    for (let object = queue.shift(); object; object = queue.shift())
      for (const name of needs(object.elf)) {
        if (loaded.has(name)) continue;
        loaded.add(name);
        const next = this.library(name, object);
        if (!next) continue;
        if (next.elf.soname !== undefined) loaded.add(next.elf.soname);
        queue.push(next);
      }
  }

  private library(name: string, object: LoadedObject): LoadedObject | undefined {
    for (const { path, known } of this.candidates(name, object)) {
      const file = this.root.resolve(path);
      const elf = file?.type === "file" ? this.elf(file.path) : undefined;
      if (!file || !elf || !isForSameMachine(elf, object.elf)) continue;
      this.take(path, object.path);
      // The image has no ld.so.cache: what only that would find gets a link where ld.so looks by itself.
      if (!known && !this.links.has(this.searchPath.shortcut(name, elf)))
        this.addLink({ path: this.searchPath.shortcut(name, elf), target: file.path });
      return { path: file.path, elf, loader: object };
    }
    // libgcc_s is wanted on a mere suspicion: its absence is no error.
    if (name !== LIBGCC || object.elf.needed.includes(LIBGCC))
      this.missing.push({ name, neededBy: object.path });
    return undefined;
  }

  private candidates(name: string, object: LoadedObject): { path: string; known: boolean }[] {
    if (name.includes("/")) return [{ path: this.searchPath.expand(name, object)[0] ?? name, known: true }];
    const own: string[] = [];
    if (object.elf.runpath === undefined)
      for (let by: LoadedObject | undefined = object; by; by = by.loader)
        if (by.elf.runpath === undefined) own.push(...this.searchPath.expand(by.elf.rpath ?? "", by));
    own.push(...this.searchPath.expand(object.elf.runpath ?? "", object));
    const known = own.map((directory) => ({ path: `${directory}/${name}`, known: true }));
    if (object.elf.dynamicFlags1 & DF_1_NODEFLIB) return known;
    const others = this.searchPath.directories(object.elf);
    return [...known, ...others.map(({ path, trusted }) => ({ path: `${path}/${name}`, known: trusted }))];
  }

  private take(path: string, neededBy: string | undefined): Resolved | undefined {
    const found = this.root.resolve(path);
    if (found?.type !== "file") return undefined;
    if (neededBy !== undefined && !this.files.has(found.path)) this.neededBy.set(found.path, neededBy);
    for (const link of found.links) this.links.set(link.path, link);
    this.files.set(found.path, found);
    return found;
  }

  private addLink(link: Link): void {
    if (link.path !== link.target && !this.root.resolve(link.path)) this.links.set(link.path, link);
  }

  private elf(path: string): Elf | undefined {
    if (!this.elves.has(path)) {
      try {
        this.elves.set(path, parseElf(this.root.read(path) ?? new Uint8Array(0)));
      } catch (error) {
        if (!(error instanceof ElfError)) throw error;
        throw new UserError(
          `${text(path)} can't be put into an image: ${error.message}.`,
          "Install it again.",
        );
      }
    }
    return this.elves.get(path);
  }
}

// What env(1) starts: behind its options, of which -S may have the command in the same word, and assignments.
function commandOfEnv(argument: string): string | undefined {
  const words = argument.split(/[ \t]+/).map((word) => word.replace(/^(?:-S|--split-string=)/, ""));
  return words.find((word) => word !== "" && !word.startsWith("-") && !word.includes("="));
}

// The C library itself has these names too, and opens libgcc_s for others only.
function needs(elf: Elf): readonly string[] {
  const isLibc = /^(?:libc|libpthread|ld-linux)/.test(elf.soname ?? "");
  const mayUnwind = !isLibc && /\0pthread_(?:cancel|exit)\0/.test(elf.dynamicStrings);
  return mayUnwind ? [...elf.needed, LIBGCC] : elf.needed;
}

function isForSameMachine(a: Elf, b: Elf): boolean {
  return a.bits === b.bits && a.machine === b.machine && a.littleEndian === b.littleEndian;
}
