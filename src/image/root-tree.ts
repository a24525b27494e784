/** A root filesystem seen from outside: paths are resolved as if it were `/`, and never lead out of it. */

import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import type { FileTree, Resolved } from "./file-tree.ts";
import { walk, type Place } from "./walk.ts";

/**
 * A directory of the build machine taken for a root. All paths are byte strings. What this user may not read is a
 * UserError that says so.
 */
export class RootTree implements FileTree {
  private readonly base: string;
  private readonly kinds = new Map<string, Kind | undefined>();

  /** `base` is its path on this machine. */
  constructor(base: string) {
    this.base = base.replace(/\/+$/, "");
  }

  resolve(path: string): Resolved | undefined {
    const found = walk(path, (place) => this.kind(place));
    if (!found) return undefined;
    const { stats } = found.place;
    const type = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other";
    return { path: found.path, links: found.links, type, size: stats.size, mode: stats.mode & 0o7777 };
  }

  read(path: string): Uint8Array | undefined {
    const found = this.resolve(path);
    if (found?.type !== "file") return undefined;
    const place = this.outside(found.path);
    return allowed(place, () => readFileSync(hostPath(place)));
  }

  list(path: string): string[] {
    const found = this.resolve(path);
    if (found?.type !== "directory") return [];
    const place = this.outside(found.path) || "/";
    const names = allowed(place, () => readdirSync(hostPath(place), { encoding: "buffer" }));
    return names.map((name) => name.toString("latin1")).sort();
  }

  /** What the symlink at `path` says; undefined when there is none. Whether that is there makes no difference. */
  linkAt(path: string): string | undefined {
    return walk(path, (place) => this.kind(place), "stay")?.place.target;
  }

  /** The path on this machine of a path that holds no symlinks, as `resolve` returns it. */
  outside(path: string): string {
    return this.base + path;
  }

  private kind(path: string): Kind | undefined {
    if (!this.kinds.has(path)) this.kinds.set(path, look(this.outside(path) || "/"));
    return this.kinds.get(path);
  }
}

/** A byte string as the functions of node:fs take it. */
export function hostPath(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

interface Kind extends Place {
  readonly stats: Stats;
}

function look(path: string): Kind | undefined {
  const stats = allowed(path, () => lstatSync(hostPath(path), { throwIfNoEntry: false }));
  if (!stats) return undefined;
  const target = stats.isSymbolicLink()
    ? readlinkSync(hostPath(path), { encoding: "buffer" }).toString("latin1")
    : undefined;
  return { stats, isDirectory: stats.isDirectory(), target };
}

// What others may read must not be left out of an image in silence.
function allowed<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EACCES")) throw error;
    throw new UserError(
      `${text(path)} can't be read by this user.`,
      "Run this as root, or leave out what needs it.",
    );
  }
}
