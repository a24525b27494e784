/** Which kernel an image is for, and where its modules are. */

import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { FileTree } from "./file-tree.ts";
import { RootTree } from "./root-tree.ts";
import { type KernelConfig, readKernelConfig } from "./kernel-config.ts";
import { modulesDirectories, refuseUnlisted } from "./module-tree.ts";

/** A kernel to build an image for. Paths are byte strings. */
export interface ChosenKernel {
  /** Undefined when there is none to choose: no root without kernels says what boots it. */
  readonly release: string | undefined;
  /** Where its modules directory is, in a root of its own; undefined for a kernel that has all its drivers built in. */
  readonly modules: { readonly root: string; readonly directory: string } | undefined;
  readonly config: KernelConfig | undefined;
  /** Sentences about what is only supposed. */
  readonly notes: readonly string[];
}

/** What was asked for: nothing, a release, or a modules directory. */
export interface KernelWish {
  readonly release: string | undefined;
  /** A modules directory: a path on this machine, wherever the root is. */
  readonly directory: string | undefined;
  /** uname -r of this machine, when the image is for this machine. */
  readonly running: string | undefined;
}

/**
 * Finds the kernel. Without a wish it is the running one, or else the only one that is installed. A kernel without
 * a modules directory has all its drivers built in if its configuration says so, if it is running without modules,
 * or if the root has no modules of any kernel.
 * @throws UserError when there is more than one to choose from, and when modules are missing
 */
export function chooseKernel(root: RootTree, wish: KernelWish): ChosenKernel {
  if (wish.directory !== undefined) return inDirectory(root, wish.directory, wish.release);
  const installed = installedKernels(root);
  const release = wish.release ?? wish.running ?? onlyOne(root, installed);
  if (release === undefined)
    return { release, modules: undefined, config: undefined, notes: [supposed("its kernel")] };
  if (release.includes("/") || release.startsWith("."))
    throw new UserError(
      `'${text(release)}' can't be the name of a kernel.`,
      "It is what uname -r says, as in 6.1.0-18-amd64.",
    );
  const config = readKernelConfig(root, release);
  const directory = modulesDirectories(release).find((path) => root.resolve(path)?.type === "directory");
  if (directory !== undefined && hasList(root, directory))
    return { release, modules: { root: root.outside("/"), directory }, config, notes: [] };
  const builtIn = { release, modules: undefined, config };
  if (config !== undefined && !config.has("CONFIG_MODULES")) return { ...builtIn, notes: [] };
  const runsWithout = release === wish.running && (root.read("/proc/modules")?.length ?? 0) === 0;
  if (directory !== undefined && (config !== undefined || !runsWithout))
    refuseUnlisted(root, release, directory);
  if (config !== undefined || (installed.length > 0 && !runsWithout)) refuse(root, release, installed);
  return { ...builtIn, notes: [supposed(`the kernel ${text(release)}`)] };
}

const MODULES = "/lib/modules";

/** The releases that have a modules directory, sorted by name. */
export function installedKernels(root: FileTree): string[] {
  const names = [MODULES, "/usr/lib/modules"].flatMap((path) =>
    root.list(path).filter((name) => hasList(root, `${path}/${name}`)),
  );
  return [...new Set(names)].sort();
}

// What a removed kernel has left behind, or an unpacked package before depmod has run, has none.
function hasList(root: FileTree, directory: string): boolean {
  return root.resolve(`${directory}/modules.dep`)?.type === "file";
}

// The root that the directory is part of may be another one than the image's: a kernel that was only unpacked.
function inDirectory(root: FileTree, path: string, release: string | undefined): ChosenKernel {
  const [, base = "", below = ""] = /^(.*?)((?:\/usr)?\/lib\/modules\/[^/]+)\/*$/s.exec(path) ?? [
    undefined,
    "",
    path,
  ];
  const tree = new RootTree(base || (path.startsWith("/") ? "/" : "."));
  const found = tree.resolve(below);
  if (found?.type !== "directory" || !hasList(tree, found.path))
    throw new UserError(
      `${text(path)} is no directory of kernel modules: it holds no modules.dep.`,
      "It is usually called /lib/modules/VERSION; depmod makes the file.",
    );
  const name = release ?? below.replace(/\/+$/, "").replace(/^.*\//s, "");
  const config = readKernelConfig(tree, name) ?? readKernelConfig(root, name);
  return { release: name, modules: { root: tree.outside("/"), directory: found.path }, config, notes: [] };
}

function supposed(kernel: string): string {
  return `There is no modules directory, so ${kernel} is supposed to have all drivers built in.`;
}

function onlyOne(root: FileTree, installed: readonly string[]): string | undefined {
  // One without modules.dep is for the caller to refuse, but not what a removed kernel has left behind.
  const unlisted = () => root.list(MODULES).find((name) => root.resolve(`${MODULES}/${name}/kernel`));
  const [only = unlisted(), ...more] = installed;
  if (more.length === 0) return only;
  throw new UserError(
    `There are several kernels in ${text(root.outside(MODULES))}: ${installed.map(text).join(", ")}.`,
    "Choose one by --kernel VERSION.",
  );
}

function refuse(root: FileTree, release: string, installed: readonly string[]): never {
  throw new UserError(
    `There are no modules for the kernel ${text(release)} in ${text(root.outside(MODULES))}.`,
    installed.length > 0
      ? `It has those of ${installed.map(text).join(", ")}: choose one by --kernel, or say --drivers none for a kernel that has all drivers built in.`
      : "Install the kernel's package, or say --drivers none for a kernel that has all drivers built in.",
  );
}
