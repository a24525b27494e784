/** Path resolution of the fake kernel, path_resolution(7) and fs/namei.c. */

import type { Directory } from "./inode.ts";
import { type MountTable, type Position, isMountRoot, same } from "./mounts.ts";
import { refuse } from "./refusal.ts";

/** With the NUL behind it (linux/limits.h). */
export const PATH_MAX = 4096;
const NAME_MAX = 255;
const LINKS_MAX = 40;

/** Where a path leads. */
export interface Found {
  /** The directory that holds the last name. */
  readonly parent: Position;
  /** The last name: "." when the path ends in "/." or is "/". */
  readonly name: string;
  /** What has the name, with all that is mounted on it crossed; undefined when nothing has. */
  readonly target: Position | undefined;
  /** The path asks for a directory: "a/". */
  readonly trailingSlash: boolean;
}

/** A process's view of the tree. */
export interface View {
  readonly mounts: MountTable;
  readonly root: Position;
}

/**
 * Follows `path` from a directory.
 * @param follow whether a link in the last name is followed
 * @throws Refusal
 */
export function walk(view: View, from: Position, path: string, follow: boolean): Found {
  if (path === "") refuse("ENOENT");
  if (path.length >= PATH_MAX) refuse("ENAMETOOLONG");
  let at = path.startsWith("/") ? view.root : from;
  if (at.inode.kind !== "directory") refuse("ENOTDIR");
  let trailingSlash = /[^/]\/+$/.test(path);
  let links = 0;
  const names = split(path);
  let found: Found = { parent: at, name: ".", target: at, trailingSlash };

  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const last = names.length === 0;
    if (at.inode.kind !== "directory") refuse("ENOTDIR");
    if (name === "." || name === "..") {
      const to: Position = name === "." ? at : up(view, at);
      found = { parent: at, name, target: to, trailingSlash };
      at = to;
      continue;
    }
    const target = lookUp(view, at, at.inode, name);
    found = { parent: at, name, target, trailingSlash };
    if (target === undefined) {
      if (last) return found;
      refuse("ENOENT");
    }
    if (target.inode.kind === "symlink" && (!last || follow || trailingSlash)) {
      links += 1;
      if (links > LINKS_MAX) refuse("ELOOP");
      const { jump, target: text } = target.inode;
      if (jump === undefined) {
        names.unshift(...split(text));
        if (last) trailingSlash ||= /[^/]\/+$/.test(text);
        if (text.startsWith("/")) at = view.root;
        found = { parent: at, name: ".", target: at, trailingSlash };
        continue;
      }
      at = jump() ?? refuse("ENOENT");
      found = { ...found, target: at };
      continue;
    }
    at = target;
  }
  if (trailingSlash && at.inode.kind !== "directory") refuse("ENOTDIR");
  return found;
}

function split(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

function lookUp(view: View, at: Position, dir: Directory, name: string): Position | undefined {
  if (name.length > NAME_MAX) refuse("ENAMETOOLONG");
  dir.refresh?.();
  const inode = dir.entries.get(name);
  return inode === undefined ? undefined : view.mounts.top({ mount: at.mount, inode });
}

// From the root of the process ".." leads nowhere, but into what is mounted on it (follow_dotdot).
function up(view: View, from: Position): Position {
  let at = from;
  while (isMountRoot(at)) {
    if (same(at, view.root) || at.mount.at === undefined) return view.mounts.top(from);
    at = at.mount.at;
  }
  const parent = at.inode.kind === "directory" ? at.inode.parent : undefined;
  if (same(at, view.root) || parent === undefined) return view.mounts.top(from);
  return view.mounts.top({ mount: at.mount, inode: parent });
}
