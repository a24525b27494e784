/** busybox in an image: the program and a symlink for each of its applets. */

import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { ImageTree } from "./image-tree.ts";
import { findLibraries } from "./libs.ts";
import type { RootTree } from "./root-tree.ts";

/**
 * Puts the busybox at `path` in `root` to /bin/busybox, and links its applets where nothing else is yet.
 * It is run on this machine for the list of them.
 * @throws UserError when it is not there, needs libraries that the image lacks, or does not run here
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
  const applets = listApplets(root.outside(program.path));
  tree.add(BUSYBOX, {
    type: "file",
    data: { file: root.outside(program.path), size: program.size },
    mode: 0o755,
  });
  for (const applet of applets)
    if (!tree.has(applet)) tree.add(applet, { type: "symlink", target: `/${BUSYBOX}` });
}

const BUSYBOX = "bin/busybox";

// "busybox --list-full" prints one path a line, without a slash in front.
function listApplets(program: string): string[] {
  const argv = [Buffer.from(program, "latin1").toString("utf8"), "--list-full"];
  try {
    const { stdout, exitCode } = Bun.spawnSync(argv, { stdin: "ignore", stderr: "ignore" });
    const applets = stdout
      .toString("latin1")
      .split("\n")
      .filter((line) => /^[^/.][^\0]*$/.test(line) && line !== BUSYBOX);
    if (exitCode === 0 && applets.length > 0) return applets;
  } catch {
    // Said below: it may be made for another machine.
  }
  throw new UserError(
    `${text(program)} --list-full does not run on this machine.`,
    "Give a busybox that was made for this machine.",
  );
}
