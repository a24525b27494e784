/** modprobe.d(5) in an image: process 1 reads /etc/modprobe.d alone, so all that is in force goes there. */

import { fromBytes } from "../../lib/bytes.ts";
import { readModprobeDirectories } from "../../modules/directories.ts";
import type { FileTree } from "../file-tree.ts";
import type { Part } from "../part.ts";

/**
 * The files that modprobe(8) would read; of two with one name that of the earlier directory (a link to /dev/null
 * takes a file away). /run is what the build machine happens to run, and no part of a root.
 */
export function modprobePart(root: FileTree): Part[] {
  const files = readModprobeDirectories({
    list: (path) =>
      path.startsWith("/run/") ? [] : root.list(path).map((name) => ({ name, type: "unknown" })),
    readTextIfThere: (path) => {
      const content = root.read(path);
      return content && fromBytes(content);
    },
  }).filter(({ text }) => text !== "");
  if (files.length === 0) return [];
  const inPlace = files.filter(({ name }) => name.startsWith(DIRECTORY));
  const moved = files.filter(({ name }) => !name.startsWith(DIRECTORY));
  return [
    {
      why: "the settings of kernel modules",
      files: inPlace.map(({ name }) => name),
      made: moved.map(({ name, text }) => ({
        to: `${DIRECTORY}${name.slice(name.lastIndexOf("/") + 1)}`,
        data: Buffer.from(text, "latin1"),
      })),
    },
  ];
}

const DIRECTORY = "/etc/modprobe.d/";
