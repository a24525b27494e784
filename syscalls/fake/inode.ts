/** Files of the fake kernel, and a readable way to write down a tree of them. */

import { toBytes } from "../../src/lib/bytes.ts";
import type { Position } from "./mounts.ts";

/** What is in a directory, by name: a string or bytes are a file's content, an object is a directory. */
export interface Tree {
  readonly [name: string]: string | Uint8Array | Tree | Entry;
}

/** A file that a Tree's shorthand can't say; made by the functions below. */
export class Entry {
  readonly make: (fs: FileSystem) => Inode;

  constructor(make: (fs: FileSystem) => Inode) {
    this.make = make;
  }
}

export function directory(tree: Tree, mode = 0o755): Entry {
  return new Entry((fs) => newDirectory(fs, mode, tree));
}

export function file(content: string | Uint8Array, mode = 0o644): Entry {
  return new Entry((fs) => newFile(fs, mode, typeof content === "string" ? toBytes(content) : content));
}

/** A file that execve(2) takes. */
export function program(content = "\x7fELF"): Entry {
  return file(content, 0o755);
}

export function symlink(target: string): Entry {
  return new Entry((fs) => newSymlink(fs, target));
}

/** A device node; what it does is told by `FakeOptions.devices`. */
export function device(type: "block" | "char", rdev: string, mode = 0o600): Entry {
  return new Entry((fs) => newSpecial(fs, type, mode, rdev));
}

/** A file like those of /proc and /sys: `read` makes its content at each open, `write` takes what is written. */
export function attribute(read: () => string, write?: (bytes: Uint8Array) => void): Entry {
  return new Entry((fs) => ({ ...newFile(fs, write === undefined ? 0o444 : 0o644), read, write }));
}

/** A superblock, with these files in it. */
export class FileSystem {
  /** As mount(2) names it: "ext4". */
  readonly type: string;
  /** statfs(2). */
  readonly magic: number;
  /** "major:minor". */
  readonly dev: string;
  readonly root: Directory;
  inodes = 0;

  constructor(type: string, magic: number, dev: string, tree: Tree) {
    this.type = type;
    this.magic = magic;
    this.dev = dev;
    this.root = newDirectory(this, 0o755, tree);
  }
}

interface Common {
  readonly fs: FileSystem;
  readonly ino: bigint;
  /** Permission bits. */
  mode: number;
}

export interface Directory extends Common {
  readonly kind: "directory";
  readonly entries: Map<string, Inode>;
  /** undefined for the root of a filesystem. */
  parent: Directory | undefined;
  /** rmdir(2) was here: nothing can be made inside. */
  removed: boolean;
  /** Brings the entries up to date before they are looked at. */
  refresh?: () => void;
}

export interface RegularFile extends Common {
  readonly kind: "file";
  bytes: Uint8Array;
  readonly read?: (() => string) | undefined;
  readonly write?: ((bytes: Uint8Array) => void) | undefined;
}

export interface Symlink extends Common {
  readonly kind: "symlink";
  readonly target: string;
  /** Links of /proc lead to a file itself, not to a name. */
  readonly jump?: (() => Position | undefined) | undefined;
}

export interface Special extends Common {
  readonly kind: "block" | "char" | "fifo" | "socket";
  readonly rdev: string;
}

export type Inode = Directory | RegularFile | Symlink | Special;

export function newDirectory(fs: FileSystem, mode: number, tree: Tree = {}): Directory {
  const made: Directory = {
    ...common(fs, mode),
    kind: "directory",
    entries: new Map(),
    parent: undefined,
    removed: false,
  };
  fill(made, tree);
  return made;
}

/** Puts a tree's files into a directory. */
export function fill(into: Directory, tree: Tree): void {
  for (const [name, value] of Object.entries(tree)) link(into, name, entryOf(value).make(into.fs));
}

/** Gives a file a name, in the place of what had it. */
export function link(into: Directory, name: string, inode: Inode): void {
  if (inode.kind === "directory") inode.parent = into;
  into.entries.set(name, inode);
}

function entryOf(value: Tree[string]): Entry {
  if (value instanceof Entry) return value;
  return typeof value === "string" || value instanceof Uint8Array ? file(value) : directory(value);
}

export function newFile(fs: FileSystem, mode: number, bytes: Uint8Array = new Uint8Array()): RegularFile {
  return { ...common(fs, mode), kind: "file", bytes };
}

export function newSymlink(fs: FileSystem, target: string, jump?: Symlink["jump"]): Symlink {
  return { ...common(fs, 0o777), kind: "symlink", target, jump };
}

export function newSpecial(fs: FileSystem, kind: Special["kind"], mode: number, rdev: string): Special {
  return { ...common(fs, mode), kind, rdev };
}

function common(fs: FileSystem, mode: number): Common {
  fs.inodes += 1;
  return { fs, ino: BigInt(fs.inodes), mode };
}
