/** busybox in an image: the program and the names under which a boot may call it. */

import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { ImageTree } from "./image-tree.ts";
import { findLibraries } from "./libs.ts";
import type { RootTree } from "./root-tree.ts";

/**
 * Puts the busybox at `path` in `root` to /bin/busybox, and links its shell and its modprobe where nothing
 * else is yet. The other applets get their links when a rescue shell is started (src/boot/rescue.ts): most
 * boots never need them, and four hundred links cost each of them some time.
 * @throws UserError when it is not there or needs libraries that the image lacks
 */
export function addBusybox(tree: ImageTree, root: RootTree, path: string): void {
  const program = root.resolve(path);
  if (program?.type !== "file")
    throw new UserError(`The program ${text(path)} does not exist.`, "Install busybox, static at best.");
  for (const library of findLibraries(root, [path]).files.keys())
    if (library !== program.path && !tree.has(library))
      throw new UserError(
        `${text(path)} needs ${text(library)}: it is not static.`,
        "Install the static busybox (busybox-static), or name it among the tools as well.",
      );
  tree.add(BUSYBOX, {
    type: "file",
    data: { file: root.outside(program.path), size: program.size },
    mode: 0o755,
  });
  for (const applet of LINKED)
    if (!tree.has(applet)) tree.add(applet, { type: "symlink", target: `/${BUSYBOX}` });
}

const BUSYBOX = "bin/busybox";

/** The rescue shell, and the program that the kernel calls when it wants a module (/proc/sys/kernel/modprobe). */
const LINKED: readonly string[] = ["bin/sh", "sbin/modprobe"];
