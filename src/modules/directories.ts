/** Where modprobe.d(5) finds its files. */

import type { DirEntry } from "../../syscalls/types.ts";
import { SysError } from "../../syscalls/error.ts";
import type { ConfigFile } from "./config.ts";

/** The files that modprobe(8) would read, in its order: by name, and of two with one name that of the earlier directory. */
export function readModprobeDirectories(host: {
  readonly list: (path: string) => DirEntry[];
  readonly readTextIfThere: (path: string) => string | undefined;
}): ConfigFile[] {
  const paths = new Map<string, string>();
  for (const directory of DIRECTORIES)
    for (const { name } of listIfThere(host.list, directory))
      if (name.endsWith(".conf") && !name.startsWith(".") && !paths.has(name))
        paths.set(name, `${directory}/${name}`);
  const files: ConfigFile[] = [];
  for (const [, path] of [...paths].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = host.readTextIfThere(path);
    if (text !== undefined) files.push({ name: path, text });
  }
  return files;
}

const DIRECTORIES: readonly string[] = [
  "/etc/modprobe.d",
  "/run/modprobe.d",
  "/usr/local/lib/modprobe.d",
  "/usr/lib/modprobe.d",
  "/lib/modprobe.d",
];

function listIfThere(list: (path: string) => DirEntry[], path: string): DirEntry[] {
  try {
    return list(path);
  } catch (error) {
    if (error instanceof SysError) return [];
    throw error;
  }
}
