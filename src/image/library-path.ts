/** The directories in which ld.so(8) looks for libraries, inside a root. */

import { fromBytes } from "../lib/bytes.ts";
import { globMatch } from "../modules/glob.ts";
import type { Elf } from "./elf.ts";
import type { FileTree } from "./file-tree.ts";

/** A directory of libraries; `trusted` when ld.so knows it without ld.so.cache. */
export interface LibraryDirectory {
  readonly path: string;
  readonly trusted: boolean;
}

/** The search path of one root. Subdirectories of glibc-hwcaps are left out: they are faster variants of what is found. */
export class LibraryPath {
  private readonly root: FileTree;
  private configured: readonly string[] | undefined;

  constructor(root: FileTree) {
    this.root = root;
  }

  /** The directories of ld.so.conf, as ld.so.cache would have their libraries, then the built-in ones. */
  directories(elf: Elf): LibraryDirectory[] {
    const trusted = trustedDirectories(elf);
    this.configured ??= readConfiguration(this.root, "/etc/ld.so.conf", 0);
    return [
      ...this.configured.map((path) => ({ path, trusted: trusted.includes(path) })),
      ...trusted.map((path) => ({ path, trusted: true })),
    ];
  }

  /** The directories of a DT_RPATH or DT_RUNPATH of the object at `path`, with $ORIGIN, $LIB and $PLATFORM filled in. */
  expand(list: string, { path, elf }: { readonly path: string; readonly elf: Elf }): string[] {
    const machine = MACHINES[elf.machine];
    const libs = [...(machine ? [`lib/${machine.multiarch}`] : []), elf.bits === 64 ? "lib64" : "lib", "lib"];
    return list
      .split(":")
      .filter((entry) => entry !== "")
      .flatMap((entry) => {
        const origin = path.slice(0, path.lastIndexOf("/"));
        const filled = entry
          .replace(/\$(?:ORIGIN\b|\{ORIGIN\})/g, () => origin)
          .replace(/\$(?:PLATFORM\b|\{PLATFORM\})/g, () => machine?.platform ?? "");
        // What $LIB stands for is known to the ld.so alone, so all it may be are tried.
        return /\$(?:LIB\b|\{LIB\})/.test(filled)
          ? libs.map((lib) => filled.replace(/\$(?:LIB\b|\{LIB\})/g, () => lib))
          : [filled];
      })
      .map((entry) => entry.replace(/(?<=.)\/+$/, ""));
  }

  /** Where a link to a library that only ld.so.cache would find has to be: beside the C library. */
  shortcut(name: string, elf: Elf): string {
    const home = trustedDirectories(elf).find(
      (path) => this.root.resolve(`${path}/libc.so.6`) ?? this.root.resolve(`${path}/libc.so`),
    );
    return `${home ?? "/usr/lib"}/${name}`;
  }
}

interface Machine {
  /** Debian's directory for its libraries. */
  readonly multiarch: string;
  /** AT_PLATFORM. */
  readonly platform: string;
}

// By e_machine (elf(5)).
const MACHINES: Readonly<Record<number, Machine>> = {
  3: { multiarch: "i386-linux-gnu", platform: "i686" },
  22: { multiarch: "s390x-linux-gnu", platform: "z900" },
  40: { multiarch: "arm-linux-gnueabihf", platform: "v7l" },
  62: { multiarch: "x86_64-linux-gnu", platform: "x86_64" },
  183: { multiarch: "aarch64-linux-gnu", platform: "aarch64" },
  243: { multiarch: "riscv64-linux-gnu", platform: "riscv64" },
};

const DEEPEST_INCLUDE = 10;

// glibc's own, as Debian and as the others build it, and musl's.
function trustedDirectories(elf: Elf): string[] {
  const multiarch = MACHINES[elf.machine]?.multiarch;
  const wide = elf.bits === 64 ? ["/lib64", "/usr/lib64"] : [];
  const debian = multiarch ? [`/lib/${multiarch}`, `/usr/lib/${multiarch}`] : [];
  return [...debian, ...wide, "/lib", "/usr/lib"];
}

// ldconfig(8): one directory a line, or "include PATTERN", relative to the file's own directory.
function readConfiguration(root: FileTree, path: string, depth: number): string[] {
  const content = root.read(path);
  if (!content || depth > DEEPEST_INCLUDE) return [];
  return fromBytes(content)
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .flatMap((line) => {
      const [, pattern] = /^include[ \t]+(.*)$/.exec(line) ?? [];
      if (pattern === undefined) return line.startsWith("/") ? [line.replace(/(?<=.)\/+$/, "")] : [];
      const base = path.slice(0, path.lastIndexOf("/") + 1);
      return pattern
        .split(/[ \t]+/)
        .flatMap((one) => matchingFiles(root, one.startsWith("/") ? one : base + one))
        .flatMap((file) => readConfiguration(root, file, depth + 1));
    });
}

// A pattern may stand in the last component, where all that is in use has it.
function matchingFiles(root: FileTree, pattern: string): string[] {
  const slash = pattern.lastIndexOf("/");
  const directory = pattern.slice(0, slash);
  return root
    .list(directory)
    .filter((name) => globMatch(pattern.slice(slash + 1), name))
    .map((name) => `${directory}/${name}`);
}
