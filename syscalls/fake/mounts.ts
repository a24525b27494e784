/** The mount table of the fake kernel. */

import type { FileSystem, Inode } from "./inode.ts";

/** A place in the file tree: a file as it is reached through one mount of its filesystem. */
export interface Position {
  readonly mount: Mount;
  readonly inode: Inode;
}

/** A mounted filesystem. Its root is always the filesystem's: there are no bind mounts here. */
export interface Mount {
  readonly id: number;
  readonly fs: FileSystem;
  readonly source: string;
  /** MS_RDONLY, MS_NODEV and so on. */
  flags: number;
  /** What it covers; undefined for the one at the bottom, and for those that were detached. */
  at: Position | undefined;
}

export class MountTable {
  /** In the order of mounting. */
  readonly all: Mount[] = [];
  private lastId = 0;

  /** Mounts `fs` on a place, or at the bottom of everything. */
  add(fs: FileSystem, at: Position | undefined, source: string, flags = 0): Mount {
    this.lastId += 1;
    const mount: Mount = { id: this.lastId, fs, source, flags, at };
    this.all.push(mount);
    return mount;
  }

  /** Takes a mount and all that is mounted below it out of the tree; open files in it live on. */
  detach(mount: Mount): void {
    for (const child of this.children(mount)) this.detach(child);
    mount.at = undefined;
    this.all.splice(this.all.indexOf(mount), 1);
  }

  children(mount: Mount): Mount[] {
    return this.all.filter((other) => other.at?.mount === mount);
  }

  /** What lies on a place, the topmost of a stack; the place itself when nothing does. */
  top(place: Position): Position {
    const cover = this.all.findLast((mount) => mount.at !== undefined && same(mount.at, place));
    return cover === undefined ? place : this.top(rootOf(cover));
  }

  /** True when something is mounted on the name itself, in whatever mount of its filesystem. */
  isMountPoint(inode: Inode): boolean {
    return this.all.some((mount) => mount.at?.inode === inode);
  }

  /** True when `place` is `above` or lies below it. */
  isBelow(place: Position, above: Position): boolean {
    for (let at: Position | undefined = place; at !== undefined; at = parentOf(at))
      if (same(at, above)) return true;
    return false;
  }
}

/** The place of a mount's own root. */
export function rootOf(mount: Mount): Position {
  return { mount, inode: mount.fs.root };
}

export function isMountRoot(place: Position): boolean {
  return place.inode === place.mount.fs.root;
}

export function same(a: Position, b: Position): boolean {
  return a.mount === b.mount && a.inode === b.inode;
}

/**
 * The path of a directory as seen from `root` (d_path in fs/d_path.c); undefined when it does not lie
 * below it.
 */
export function pathFrom(root: Position, place: Position): string | undefined {
  const names: string[] = [];
  for (let at: Position | undefined = place; at !== undefined; at = parentOf(at)) {
    if (same(at, root)) return `/${names.toReversed().join("/")}`;
    if (!isMountRoot(at)) names.push(nameOf(at.inode) ?? "?");
  }
  return undefined;
}

/** One step up: to the parent directory, or from a mount's root to what it covers. */
function parentOf(place: Position): Position | undefined {
  if (isMountRoot(place)) return place.mount.at;
  const parent = place.inode.kind === "directory" ? place.inode.parent : undefined;
  return parent && { mount: place.mount, inode: parent };
}

function nameOf(inode: Inode): string | undefined {
  const parent = inode.kind === "directory" ? inode.parent : undefined;
  for (const [name, entry] of parent?.entries ?? []) if (entry === inode) return name;
  return undefined;
}
