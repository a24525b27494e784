/** The files of an image, as they lie in the rootfs once the kernel has unpacked all of it. */

import type { Archive } from "./archive.ts";
import { makeRootfs, type ArchiveNode, type Lost, type Rootfs } from "./archive/rootfs.ts";
import type { FileTree, Resolved } from "./file-tree.ts";
import { walk } from "./walk.ts";

export type { ArchiveNode, Lost } from "./archive/rootfs.ts";

/** A name in an image. Its path is absolute. */
export interface ArchiveEntry {
  readonly path: string;
  readonly node: ArchiveNode;
}

/** The rootfs that an image makes. All paths are byte strings. */
export class ArchiveTree implements FileTree {
  private readonly rootfs: Rootfs;
  private readonly name: string;

  /** `name` is what people call the image: its file. */
  constructor(archive: Archive, name: string) {
    this.rootfs = makeRootfs(archive.segments.flatMap(({ members }) => members));
    this.name = name;
  }

  resolve(path: string): Resolved | undefined {
    const found = walk(path, (place) => this.rootfs.nodes.get(place));
    if (!found) return undefined;
    const { type, mode, data } = found.place;
    const kind = type === "file" || type === "directory" ? type : "other";
    return { path: found.path, links: found.links, type: kind, size: data.length, mode };
  }

  /** The bytes of a file, not copied; undefined when there is none. */
  read(path: string): Uint8Array | undefined {
    const node = this.node(path);
    return node?.type === "file" ? node.data : undefined;
  }

  list(path: string): string[] {
    return [...(this.node(path)?.names ?? [])].sort();
  }

  outside(path: string): string {
    return `${this.name}:${path}`;
  }

  /** What is at `path`; a symlink there is followed unless it shall stay. Undefined when nothing is. */
  node(path: string, last: "follow" | "stay" = "follow"): ArchiveNode | undefined {
    return walk(path, (place) => this.rootfs.nodes.get(place), last)?.place;
  }

  /** All that is in it, the root as "/" first, each directory before what is in it, names in byte order. */
  entries(): ArchiveEntry[] {
    const entries: ArchiveEntry[] = [];
    const todo = ["/"];
    for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
      const node = this.rootfs.nodes.get(path);
      if (!node) continue;
      entries.push({ path, node });
      const front = path === "/" ? "" : path;
      for (const name of [...node.names].sort().toReversed()) todo.push(`${front}/${name}`);
    }
    return entries;
  }

  /** The entries that the kernel leaves out. */
  get lost(): readonly Lost[] {
    return this.rootfs.lost;
  }
}
