/** Paths within a tree: symlinks are followed as if its top were `/`, and nothing leads out of it. */

import type { Link } from "./file-tree.ts";

/** What a walk must know of a place. */
export interface Place {
  readonly isDirectory: boolean;
  /** Of a symlink. */
  readonly target: string | undefined;
}

/** Where a walk came to. */
export interface Walked<P extends Place> {
  /** Absolute within the tree, without any symlink in it but the last one when that was to stay. */
  readonly path: string;
  readonly place: P;
  /** The symlinks on the way, in the order they were met. */
  readonly links: readonly Link[];
}

/**
 * Where `path` leads. `look` says what is at an absolute path without symlinks in front of its last component; `last`
 * is what becomes of a symlink there. Undefined when nothing is there or the symlinks go round in circles.
 */
export function walk<P extends Place>(
  path: string,
  look: (path: string) => P | undefined,
  last: "follow" | "stay" = "follow",
): Walked<P> | undefined {
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
    const place = look(here);
    if (!place) return undefined;
    if (place.target === undefined || (last === "stay" && todo.length === 0)) {
      if (todo.length > 0 && !place.isDirectory) return undefined;
      done.push(name);
      continue;
    }
    if (++hops > MOST_LINKS) return undefined;
    links.set(here, { path: here, target: place.target });
    if (place.target.startsWith("/")) done.length = 0;
    todo.push(...components(place.target).toReversed());
  }
  const end = `/${done.join("/")}`;
  const place = look(end);
  return place && { path: end, place, links: [...links.values()] };
}

/** The names of a path, without those that say nothing. */
export function components(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** MAXSYMLINKS of the kernel. */
const MOST_LINKS = 40;
