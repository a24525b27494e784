/** A tree of files in which paths are resolved as if it were `/`: a folder of this machine, or an unpacked image. */

/** A symlink that a path led through. Its path is absolute within the tree. */
export interface Link {
  readonly path: string;
  readonly target: string;
}

/** Where a path leads. */
export interface Resolved {
  /** Absolute within the tree, without any symlink in it. */
  readonly path: string;
  /** The symlinks on the way, in the order they were met. */
  readonly links: readonly Link[];
  readonly type: "file" | "directory" | "other";
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
}

/** All paths are byte strings. */
export interface FileTree {
  /** Where `path` leads; undefined when nothing is there or its symlinks go round in circles. */
  resolve(path: string): Resolved | undefined;
  /** The bytes of a file; undefined when there is none. */
  read(path: string): Uint8Array | undefined;
  /** The names in a directory, sorted; empty when there is none. */
  list(path: string): string[];
  /** The path as people should be told it: where it is on this machine. */
  outside(path: string): string;
}
