/** busybox in an image: the program and the names under which a boot may call it. */

import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { FileTree } from "./file-tree.ts";
import type { ImageTree } from "./image-tree.ts";
import { addParts } from "./part-tree.ts";
import type { RootTree } from "./root-tree.ts";

/** The busyboxes of `root`, where distributions have them; a static one comes first. */
export function findBusyboxes(root: FileTree): string[] {
  return PATHS.filter((path) => root.resolve(path)?.type === "file");
}

/**
 * Puts the busybox at `path` in `root` to /bin/busybox, with the libraries that it needs if it is not static,
 * and links its shell and its modprobe where nothing else is yet. The other applets get their links when a
 * rescue shell is started (src/boot/rescue/rescue.ts): most boots never need them, and four hundred links cost each
 * of them some time.
 * @throws UserError when it is not there or lacks a library
 */
export function addBusybox(tree: ImageTree, root: RootTree, path: string): void {
  const why = "the rescue shell";
  if (root.resolve(path)?.type !== "file")
    throw new UserError(`The program ${text(path)} does not exist.`, "Install busybox, static at best.");
  addParts(tree, root, [{ why, programs: [path] }]);
  if (!tree.has(BUSYBOX))
    tree.add(BUSYBOX, { type: "symlink", target: root.resolve(path)?.path ?? path }, why);
  for (const applet of LINKED)
    if (!tree.has(applet)) tree.add(applet, { type: "symlink", target: `/${BUSYBOX}` }, why);
}

const PATHS: readonly string[] = [
  "/bin/busybox.static",
  "/usr/lib/initcpio/busybox",
  "/bin/busybox",
  "/usr/bin/busybox",
  "/sbin/busybox",
];

const BUSYBOX = "bin/busybox";

/** The rescue shell, and the program that the kernel calls when it wants a module (/proc/sys/kernel/modprobe). */
const LINKED: readonly string[] = ["bin/sh", "sbin/modprobe"];
