/** Descriptions of terminals, without which a shell can't move its cursor (terminfo(5)). */

import type { FileTree } from "../file-tree.ts";
import type { RecipeAddition } from "./recipe.ts";

/** The consoles that a machine has, and the terminals that people come from by ssh. */
const TERMINALS: readonly string[] = [
  ...["ansi", "dumb", "linux", "vt100", "vt102", "vt220"],
  ...["rxvt", "screen", "screen-256color", "tmux", "tmux-256color", "xterm", "xterm-256color"],
];

/** Where ncurses looks, in its order: Debian's build, and what others add. */
const DIRECTORIES: readonly string[] = [
  "/etc/terminfo",
  "/lib/terminfo",
  "/usr/share/terminfo",
  "/usr/lib/terminfo",
];

/** The description of each terminal from where ncurses would take it; a note when there are none at all. */
export function terminfoAddition(root: FileTree): RecipeAddition {
  const files = TERMINALS.flatMap((name) => {
    const paths = DIRECTORIES.map((directory) => `${directory}/${name[0]}/${name}`);
    return paths.find((path) => root.resolve(path)?.type === "file") ?? [];
  });
  if (files.length > 0) return { files };
  return {
    notes: [
      "No description of a terminal is installed (Debian's package is ncurses-base): lines can't be edited.",
    ],
  };
}
