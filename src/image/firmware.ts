/** Firmware that kernel modules ask for, found where the kernel looks (drivers/base/firmware_loader/main.c). */

import { decompress } from "../modules/decompress.ts";
import { globMatch } from "../modules/glob.ts";
import type { FileTree } from "./file-tree.ts";

/** A firmware file for an image. */
export interface Firmware {
  /** Below /lib/firmware, as the kernel asks for it. */
  readonly path: string;
  /** Never compressed, as not every kernel can unpack it. */
  readonly data: Uint8Array;
}

/** The files that `name`, a path that may hold a pattern, stands for; empty when there is none. */
export function findFirmware(root: FileTree, release: string, name: string): Firmware[] {
  const paths = /[*?[]/.test(name) ? matching(root, release, name) : [name];
  return paths.flatMap((path) => {
    const data = readFirmware(root, release, path);
    return data ? [{ path, data }] : [];
  });
}

const ENDINGS: readonly string[] = ["", ".zst", ".xz"];

function directories(release: string): string[] {
  return [`updates/${release}/`, "updates/", `${release}/`, ""].map((path) => `/lib/firmware/${path}`);
}

function readFirmware(root: FileTree, release: string, name: string): Uint8Array | undefined {
  // One that is not compressed comes first, wherever it is.
  for (const ending of ENDINGS)
    for (const directory of directories(release)) {
      const path = `${directory}${name}${ending}`;
      const bytes = root.read(path);
      // Firmware may itself look compressed: only the ending counts.
      if (bytes) return ending === "" ? bytes : decompress(path, bytes);
    }
  return undefined;
}

function matching(root: FileTree, release: string, pattern: string): string[] {
  const parts = pattern.split("/");
  const found = new Set<string>();
  for (const base of directories(release)) {
    let paths = [""];
    for (const part of parts)
      paths = paths.flatMap((path) =>
        root
          .list(base + path)
          .map((name) => name.replace(/\.(?:zst|xz)$/, ""))
          .filter((name) => globMatch(part, name))
          .map((name) => (path === "" ? name : `${path}/${name}`)),
      );
    for (const path of paths) found.add(path);
  }
  return [...found].sort();
}
