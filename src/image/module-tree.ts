/** What src/modules reads of a running system, read from a tree of files: a root, or an image. */

import { fromBytes, text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { ConfigFile } from "../modules/config.ts";
import { readModprobeDirectories } from "../modules/directories.ts";
import { ModuleIndex } from "../modules/index.ts";
import type { FileTree } from "./file-tree.ts";

/** The text of a file as a byte string; undefined when there is none. */
export function readText(tree: FileTree, path: string): string | undefined {
  const bytes = tree.read(path);
  return bytes && fromBytes(bytes);
}

/** The modules of the directory, /lib/modules/RELEASE or another, as `config` says. */
export function moduleIndex(
  tree: FileTree,
  directory: string,
  config: readonly ConfigFile[] = [],
): ModuleIndex {
  return new ModuleIndex({ read: (name) => readText(tree, `${directory}/${name}`), config, words: [] });
}

/** The files of modprobe.d in the order of modprobe(8). */
export function modprobeFiles(tree: FileTree): ConfigFile[] {
  return readModprobeDirectories({
    list: (path) => tree.list(path).map((name) => ({ name, type: "unknown" })),
    readTextIfThere: (path) => readText(tree, path),
  });
}

/** Where the modules of a kernel may be. */
export function modulesDirectories(release: string): string[] {
  return [`/lib/modules/${release}`, `/usr/lib/modules/${release}`];
}

/** Refuses a directory of modules without modules.dep. @throws UserError */
export function refuseUnlisted(tree: FileTree, release: string, directory: string): never {
  throw new UserError(
    `${text(tree.outside(directory))} has no modules.dep, so nothing is known of what its modules need.`,
    `Run: depmod -b ${text(tree.outside("/"))} ${text(release)}`,
  );
}
