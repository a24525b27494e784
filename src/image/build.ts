/**
 * What is in an initramfs of rdinit.
 *
 * /init is rdinit itself; /dev/console and /dev/null are nodes, because the kernel and the runtime open
 * them before /dev is mounted; everything else is what was asked for. The first file of the archive is
 * etc/rdinit/image.json and the last etc/rdinit/end: where at boot the first is there and the last is
 * not, the image was cut short, about which the kernel says nothing.
 */

import { statSync } from "node:fs";
import { text, toBytes } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { addBusybox } from "./busybox.ts";
import type { CpioEntry, FileData } from "./cpio.ts";
import { ImageTree } from "./image-tree.ts";
import { collectModules, type ModuleRequest } from "./kmod.ts";
import { findLibraries } from "./libs.ts";
import { hostPath, RootTree } from "./root-tree.ts";

/** A file to put into the image: its contents, or the path of the file on this machine that has them. */
export interface ExtraFile {
  readonly to: string;
  readonly from?: string;
  readonly data?: Uint8Array;
  /** Permission bits; those of `from`, or 0644. */
  readonly mode?: number;
}

/** What to build an image of. All paths are byte strings. */
export interface ImageRequest {
  /** The rdinit binary on this machine. */
  readonly init: string;
  /** The root that tools, libraries, modules and firmware are taken from; "/" when left out. */
  readonly root?: string;
  /** Kernel modules; `root` may be another one for them. */
  readonly modules?: ModuleRequest & { readonly root?: string };
  /** Programs within `root`, with their libraries. */
  readonly tools?: readonly string[];
  readonly files?: readonly ExtraFile[];
  /** A busybox within `root`, as the shell of last resort with all its applets. */
  readonly busybox?: string;
  /** The time that all files of the image bear, in seconds since 1970 (SOURCE_DATE_EPOCH); 0 when left out. */
  readonly mtime?: number;
}

/** The entries of an image in their order, and sentences about what could not be had. */
export interface Image {
  readonly entries: readonly CpioEntry[];
  readonly notes: readonly string[];
}

/** The first file and the last file of an image. */
export const FIRST_FILE = "etc/rdinit/image.json";
export const LAST_FILE = "etc/rdinit/end";

/**
 * Collects an image. The same request on the same files gives the same entries.
 * @throws UserError for what was asked for and is not there, and for libraries that are missing
 */
export function buildImage(request: ImageRequest): Image {
  const root = new RootTree(request.root ?? "/");
  const tree = new ImageTree();
  const notes: string[] = [];
  for (const [path, mode] of DIRECTORIES) tree.add(path, { type: "directory", mode });
  addTools(tree, root, request.tools ?? []);
  tree.add("dev/console", { type: "char", rdev: "5:1", mode: 0o600 });
  tree.add("dev/null", { type: "char", rdev: "1:3", mode: 0o666 });
  tree.add("init", { type: "file", data: hostFile(request.init).data, mode: 0o755 });
  if (request.modules) {
    const { root: modulesRoot, ...wanted } = request.modules;
    notes.push(...addModules(tree, modulesRoot === undefined ? root : new RootTree(modulesRoot), wanted));
  }
  for (const file of request.files ?? []) addFile(tree, file);
  // Last, as its applets only take the places that are free.
  if (request.busybox !== undefined) addBusybox(tree, root, request.busybox);
  return { entries: guarded(tree, request), notes };
}

// Empty, to be mounted on; /etc holds the guard.
const DIRECTORIES: readonly (readonly [path: string, mode: number])[] = [
  ["dev", 0o755],
  ["etc", 0o755],
  ["proc", 0o555],
  ["run", 0o755],
  ["sys", 0o555],
  ["sysroot", 0o755],
];

// Symlinks to below /usr where that is merged (file-hierarchy(7)).
const MERGED: readonly string[] = ["/bin", "/lib", "/lib64", "/sbin"];

function addTools(tree: ImageTree, root: RootTree, tools: readonly string[]): void {
  const { files, links: found, missing } = findLibraries(root, tools);
  const links = new Map(found);
  if (missing.length > 0) {
    const list = missing.map(({ name, neededBy }) => `${text(name)} (for ${text(neededBy)})`).join(", ");
    throw new UserError(
      `These libraries are missing: ${list}.`,
      "Install them, or leave out what needs them.",
    );
  }
  // As in the root: what the image has besides goes the same way.
  if (tools.length > 0)
    for (const path of MERGED) for (const link of root.resolve(path)?.links ?? []) links.set(link.path, link);
  // Those that stand above others first, so that nothing is put where a symlink has to be.
  const byDepth = [...links.values()].sort((a, b) => a.path.split("/").length - b.path.split("/").length);
  for (const { path, target } of byDepth) tree.add(path, { type: "symlink", target });
  for (const { path, size, mode } of files.values())
    tree.add(path, { type: "file", data: { file: root.outside(path), size }, mode });
}

function addModules(tree: ImageTree, root: RootTree, request: ModuleRequest): readonly string[] {
  const { modules, firmware, lists, notes } = collectModules(root, request);
  const directory = `lib/modules/${request.release}`;
  for (const { path, data } of modules) tree.add(`${directory}/${path}`, { type: "file", data, mode: 0o644 });
  for (const [name, list] of lists)
    tree.add(`${directory}/${name}`, { type: "file", data: toBytes(list), mode: 0o644 });
  for (const { path, data } of firmware)
    tree.add(`lib/firmware/${path}`, { type: "file", data, mode: 0o644 });
  return notes;
}

function addFile(tree: ImageTree, { to, from, data, mode }: ExtraFile): void {
  if (data) {
    tree.add(to, { type: "file", data, mode: mode ?? 0o644 });
  } else if (from !== undefined) {
    const file = hostFile(from);
    tree.add(to, { type: "file", data: file.data, mode: mode ?? file.mode });
  } else throw new UserError(`Nothing is given to be ${text(to)} in the image.`);
}

function hostFile(path: string): { data: FileData; mode: number } {
  const stats = statSync(hostPath(path), { throwIfNoEntry: false });
  if (!stats?.isFile()) throw new UserError(`The file ${text(path)} does not exist.`, "Check its path.");
  return { data: { file: path, size: stats.size }, mode: stats.mode & 0o7777 };
}

// The entries with the guard around them: see above.
function guarded(tree: ImageTree, request: ImageRequest): CpioEntry[] {
  const mtime = request.mtime ?? 0;
  for (const path of [FIRST_FILE, LAST_FILE])
    tree.add(path, { type: "file", data: new Uint8Array(0), mode: 0o644 });
  const entries = tree.entries(mtime);
  const first = { entries: entries.length, kernel: request.modules?.release ?? null };
  const above = new Set(["etc", "etc/rdinit"]);
  const front = entries.filter(({ path }) => above.has(path));
  const middle = entries.filter(({ path }) => !above.has(path) && path !== FIRST_FILE && path !== LAST_FILE);
  const file = { type: "file", mode: 0o644, mtime } as const;
  return [
    ...front,
    { ...file, path: FIRST_FILE, data: toBytes(`${JSON.stringify(first)}\n`) },
    ...middle,
    { ...file, path: LAST_FILE, data: new Uint8Array(0) },
  ];
}
