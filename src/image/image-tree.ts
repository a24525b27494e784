/** The files of an image while they are collected: directories come by themselves, symlinks are followed. */

import { text } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { sizeOf, type CpioEntry, type FileData } from "./cpio.ts";

/** What can be put into an image. */
export type Node =
  | { readonly type: "file"; readonly data: FileData; readonly mode: number }
  | { readonly type: "symlink"; readonly target: string }
  | { readonly type: "char" | "block"; readonly rdev: string; readonly mode: number }
  | { readonly type: "directory"; readonly mode: number };

/**
 * A tree of nodes by path. Paths are byte strings from the image's root, with or without a slash in front.
 * Add symlinks before what lies behind them: a path through a symlink of the image is followed.
 */
export class ImageTree {
  private readonly nodes = new Map<string, Node>();
  private readonly reasons = new Map<string, string>();

  /**
   * Puts a node at `path`, and the directories above it with mode 0755. The same thing twice is fine. `why` is
   * the reason that `why()` gives.
   * @throws UserError when something else is there
   */
  add(path: string, node: Node, why: string): void {
    const place = this.follow(path, node.type === "directory");
    if (place === "") return;
    const old = this.nodes.get(place);
    if (old && !isSame(old, node))
      throw new UserError(
        `Two different things are to be ${text(place)} in the image: a ${nounOf(old)} and a ${nounOf(node)}.`,
        "Leave one of them out.",
      );
    if (old) return;
    this.nodes.set(place, node);
    this.reasons.set(place, why);
  }

  /** True when something is at `path`. */
  has(path: string): boolean {
    return this.nodes.has(this.follow(path, false));
  }

  /** Why what is at `path`, an entry's path, is in the image; undefined for a directory that came by itself. */
  why(path: string): string | undefined {
    return this.reasons.get(path);
  }

  /** All nodes as entries of an archive, sorted by path and so with parents first, with this time (seconds). */
  entries(mtime: number): CpioEntry[] {
    return [...this.nodes]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, node]) => ({
        path,
        mtime,
        ...(node.type === "symlink" ? { mode: 0o777, ...node } : node),
      }));
  }

  // Where `path` leads within the image, all directories above it made; its last component is followed on demand.
  private follow(path: string, through: boolean): string {
    const todo = components(path).toReversed();
    const done: string[] = [];
    for (let hops = 0, name = todo.pop(); name !== undefined; name = todo.pop()) {
      if (name === "..") {
        done.pop();
        continue;
      }
      const here = [...done, name].join("/");
      const node = this.nodes.get(here);
      if (node?.type === "symlink" && (through || todo.length > 0)) {
        if (++hops > MOST_LINKS)
          throw new UserError(`The symlinks of the image lead in a circle at ${text(here)}.`);
        if (node.target.startsWith("/")) done.length = 0;
        todo.push(...components(node.target).toReversed());
        continue;
      }
      if (todo.length > 0) this.makeDirectory(here, node);
      done.push(name);
    }
    return done.join("/");
  }

  private makeDirectory(path: string, node: Node | undefined): void {
    if (!node) this.nodes.set(path, { type: "directory", mode: 0o755 });
    else if (node.type !== "directory")
      throw new UserError(`${text(path)} is a ${nounOf(node)} in the image, so nothing can be put below it.`);
  }
}

const MOST_LINKS = 40;

function components(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

function nounOf({ type }: Node): string {
  return type === "char" || type === "block" ? "device node" : type;
}

function isSame(a: Node, b: Node): boolean {
  if (a.type === "directory") return b.type === "directory";
  if (a.type === "symlink") return b.type === "symlink" && a.target === b.target;
  if (a.type === "file") return b.type === "file" && a.mode === b.mode && isSameData(a.data, b.data);
  return a.type === b.type && a.rdev === b.rdev && a.mode === b.mode;
}

function isSameData(a: FileData, b: FileData): boolean {
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  return !(b instanceof Uint8Array) && a.file === b.file && sizeOf(a) === sizeOf(b);
}
