/** File trees for images, as lists: what a root file system or an initramfs shall hold. */

import {
  chmodSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../src/lib/errors.ts";
import { run } from "./host.ts";

/** One name in a tree. Folders above it that the list leaves out are made with mode 0755. */
export type TreeEntry =
  | { readonly path: string; readonly kind: "dir"; readonly mode?: number }
  /** A copy of the host's file `from`. */
  | { readonly path: string; readonly kind: "file"; readonly from: string; readonly mode?: number }
  | { readonly path: string; readonly kind: "text"; readonly text: string; readonly mode?: number }
  | { readonly path: string; readonly kind: "link"; readonly target: string };

export type Tree = readonly TreeEntry[];

/** Folders that every real root has. */
export const ROOT_FOLDERS: Tree = [
  ...["boot", "dev", "etc", "proc", "root", "run", "sys", "usr", "var"].map((name): TreeEntry => ({
    path: `/${name}`,
    kind: "dir",
  })),
  { path: "/tmp", kind: "dir", mode: 0o1777 },
];

/**
 * Every file of an image bears this time (2024-01-01T00:00:00Z, in seconds), so that images can be compared.
 */
export const IMAGE_TIME = 1_704_067_200;

/** Lays the tree out in a new folder while `work` uses it; the folder goes away afterwards. */
export async function withStaged<T>(tree: Tree, work: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "rdinit-tree-"));
  try {
    chmodSync(dir, 0o755);
    const made = new Set<string>();
    for (const entry of tree) stage(dir, entry, made);
    // Deepest first: a folder's time changes with what is put into it.
    for (const path of [...made].sort().toReversed()) lutimesSync(join(dir, path), IMAGE_TIME, IMAGE_TIME);
    lutimesSync(dir, IMAGE_TIME, IMAGE_TIME);
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * Packs the tree as an uncompressed newc archive, `to`: names sorted, owned by root, the same from run to
 * run.
 */
export async function packInitramfs(tree: Tree, to: string): Promise<void> {
  await withStaged(tree, async (dir) => {
    const names = (await run(["find", ".", "-mindepth", "1", "-printf", "%P\\0"], { cwd: dir }))
      .split("\0")
      .sort();
    const argv = ["cpio", "-o", "-0", "-H", "newc", "-R", "0:0", "--reproducible", "--quiet", "-O", to];
    await run(argv, { cwd: dir, stdin: names.filter((name) => name !== "").join("\0") });
  });
}

/** The shared libraries and the loader that these programs need, by ldd(1); a static program needs none. */
export async function libraries(programs: readonly string[]): Promise<Tree> {
  const found = new Set<string>();
  for (const program of programs)
    for (const [, path] of (await run(["ldd", program]).catch(() => "")).matchAll(/(\/\S+) \(0x/g))
      if (path !== undefined) found.add(path);
  return [...found].sort().map((path) => ({ path, kind: "file", from: path }));
}

function stage(dir: string, entry: TreeEntry, made: Set<string>): void {
  const parts = entry.path.split("/").filter((part) => part !== "");
  if (parts.length === 0 || parts.includes(".."))
    throw new UserError(`'${entry.path}' is no path in a tree.`);
  const path = parts.join("/");
  for (let depth = 1; depth <= parts.length; depth++) made.add(parts.slice(0, depth).join("/"));
  const to = join(dir, path);
  mkdirSync(dirname(to), { recursive: true, mode: 0o755 });
  if (entry.kind === "link") return symlinkSync(entry.target, to);
  if (entry.kind === "dir") mkdirSync(to, { recursive: true });
  else if (entry.kind === "text") writeFileSync(to, entry.text);
  else cpSync(entry.from, to, { dereference: true });
  const standard = { dir: 0o755, text: 0o644, file: undefined }[entry.kind];
  const mode = entry.mode ?? standard;
  if (mode !== undefined) chmodSync(to, mode);
}
