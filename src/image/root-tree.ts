/** A root filesystem seen from outside: paths are resolved as if it were `/`, and never lead out of it. */

import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import type { FileTree, Link, Resolved } from "./file-tree.ts";

/** A directory of the build machine taken for a root. All paths are byte strings. */
export class RootTree implements FileTree {
  private readonly base: string;
  private readonly kinds = new Map<string, Kind | undefined>();

  /** `base` is its path on this machine. */
  constructor(base: string) {
    this.base = base.replace(/\/+$/, "");
  }

  resolve(path: string): Resolved | undefined {
    const links = new Map<string, Link>();
    const todo = components(path).toReversed();
    const done: string[] = [];
    let hops = 0;
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      if (name === "..") {
        done.pop();
        continue;
      }
      const here = `/${[...done, name].join("/")}`;
      const kind = this.kind(here);
      if (!kind) return undefined;
      if (kind.target === undefined) {
        if (todo.length > 0 && !kind.stats.isDirectory()) return undefined;
        done.push(name);
        continue;
      }
      if (++hops > MOST_LINKS) return undefined;
      links.set(here, { path: here, target: kind.target });
      if (kind.target.startsWith("/")) done.length = 0;
      todo.push(...components(kind.target).toReversed());
    }
    const end = `/${done.join("/")}`;
    const stats = this.kind(end)?.stats;
    if (!stats) return undefined;
    const type = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other";
    return { path: end, links: [...links.values()], type, size: stats.size, mode: stats.mode & 0o7777 };
  }

  read(path: string): Uint8Array | undefined {
    const found = this.resolve(path);
    return found?.type === "file" ? readFileSync(hostPath(this.outside(found.path))) : undefined;
  }

  list(path: string): string[] {
    const found = this.resolve(path);
    if (found?.type !== "directory") return [];
    const names = readdirSync(hostPath(this.outside(found.path)), { encoding: "buffer" });
    return names.map((name) => name.toString("latin1")).sort();
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

interface Kind {
  readonly stats: Stats;
  /** Of a symlink. */
  readonly target: string | undefined;
}

/** MAXSYMLINKS of the kernel. */
const MOST_LINKS = 40;

function components(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

function look(path: string): Kind | undefined {
  const stats = lstatSync(hostPath(path), { throwIfNoEntry: false });
  if (!stats) return undefined;
  const target = stats.isSymbolicLink()
    ? readlinkSync(hostPath(path), { encoding: "buffer" }).toString("latin1")
    : undefined;
  return { stats, target };
}
