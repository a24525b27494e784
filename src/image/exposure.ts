/** Files of an image that only their owner may read, in an image that everybody can: vfat keeps no modes. */

import { statSync } from "node:fs";
import { text } from "../lib/bytes.ts";
import { hostPath } from "./root-tree.ts";

/** A file in an image; `mode` are its permission bits. */
export interface ImageFile {
  readonly path: string;
  readonly type: string;
  /** A hard link has none: it is another name of a file. */
  readonly mode?: number;
}

/** The paths of host keys, key files and others that nobody but their owner may read. */
export function privateFiles(files: Iterable<ImageFile>): string[] {
  return [...files]
    .filter(({ type, mode = READABLE_BY_OTHERS }) => type === "file" && (mode & READABLE_BY_OTHERS) === 0)
    .map(({ path }) => path.replace(/^\/*/, "/"));
}

/**
 * A sentence when the file `path` can be read by others although it holds these; none when all is well. It is looked at
 * as it lies there: a filesystem may have kept the mode that it was given, or not.
 */
export function exposure(path: string, secrets: readonly string[]): string[] {
  const mode = statSync(hostPath(path), { throwIfNoEntry: false })?.mode ?? 0;
  if (secrets.length === 0 || (mode & READABLE_BY_OTHERS) === 0) return [];
  const shown = secrets.slice(0, MOST_NAMES).map(text).join(", ");
  const more = secrets.length > MOST_NAMES ? ` and ${secrets.length - MOST_NAMES} more` : "";
  return [
    `${text(path)} can be read by others, and holds what nobody but its owner may read: ${shown}${more}. ` +
      "Where the filesystem keeps no modes, as vfat, mount it with umask=0077.",
  ];
}

const READABLE_BY_OTHERS = 0o044;
const MOST_NAMES = 3;
