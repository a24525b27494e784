/** Attributes and links of sysfs(5) and proc(5), read through any tree of files. All text is byte strings. */

import { fromBytes } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import type { FileTree } from "../file-tree.ts";

/** The text of a file; undefined when it is not there, or the kernel does not give it away. */
export function readText(root: FileTree, path: string): string | undefined {
  try {
    const bytes = root.read(path);
    return bytes && fromBytes(bytes);
  } catch (error) {
    // EIO, ENODEV: an attribute of a driver may answer anything; and some are for root alone.
    if (error instanceof UserError || (error instanceof Error && "code" in error)) return undefined;
    throw error;
  }
}

/** A value without the end of its line; undefined when it is empty, too. */
export function attribute(root: FileTree, path: string): string | undefined {
  return readText(root, path)?.replace(/\n$/, "") || undefined;
}

/** The last component of where a path leads: the driver of ".../driver", the module of ".../driver/module". */
export function linkName(root: FileTree, path: string): string | undefined {
  const found = root.resolve(path)?.path;
  return found?.slice(found.lastIndexOf("/") + 1);
}

/** True for a module that was loaded; one that is part of the kernel has no such state. */
export function isLoaded(root: FileTree, module: string): boolean {
  return root.resolve(`/sys/module/${module}/initstate`) !== undefined;
}

/** Names of modules, by whether the image must have them. */
export interface Needed {
  /** Those that are loaded here: without them the machine would not boot. */
  readonly modules: readonly string[];
  /** The others: part of this kernel, or of no kernel; another kernel may have them as modules. */
  readonly modulesIfThere: readonly string[];
}

/** Parts modules by whether they are loaded; each comes once. */
export function needed(root: FileTree, names: Iterable<string>, ifThere: Iterable<string> = []): Needed {
  const modules = new Set<string>();
  const others = new Set<string>();
  for (const name of names) (isLoaded(root, name) ? modules : others).add(name);
  for (const name of ifThere) if (!modules.has(name)) others.add(name);
  return { modules: [...modules], modulesIfThere: [...others] };
}
