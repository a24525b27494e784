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
import type { Part } from "./part.ts";
import { addLinksAbove, addParts } from "./part-tree.ts";
import { hostPath, RootTree } from "./root-tree.ts";

/** A file to put into the image: its contents, or the path of the file on this machine that has them. */
export interface ExtraFile {
  readonly to: string;
  readonly from?: string;
  readonly data?: Uint8Array;
  /** What it says, when it is to be a symlink. */
  readonly link?: string;
  /** Permission bits; those of `from`, or 0644. */
  readonly mode?: number;
}

/** What to build an image of. All paths are byte strings. */
export interface ImageRequest {
  /** The rdinit binary on this machine. */
  readonly init: string;
  /** The root that tools, libraries, modules and firmware are taken from; "/" when left out. */
  readonly root?: string;
  /** Kernel modules; `root` may be another one for them. Without it the image holds none, whatever the parts ask for. */
  readonly modules?: ModuleRequest & { readonly root?: string };
  /** Tools, bits of /etc, and what the disks of a machine need. */
  readonly parts?: readonly Part[];
  readonly files?: readonly ExtraFile[];
  /** A busybox within `root`, as the shell of last resort with all its applets. */
  readonly busybox?: string;
  /** The time that all files of the image bear, in seconds since 1970 (SOURCE_DATE_EPOCH); 0 when left out. */
  readonly mtime?: number;
}

/** The entries of an image in their order, and what there is to say of them. */
export interface Image {
  readonly entries: readonly CpioEntry[];
  /** Why an entry is there, by its path; directories that only hold others have no reason. */
  readonly why: (path: string) => string | undefined;
  /** Sentences about what could not be had. */
  readonly notes: readonly string[];
  /** The same of the kernel modules: firmware and the like that they may ask for, in few sentences and in all. */
  readonly lacks: { readonly notes: readonly string[]; readonly details: readonly string[] };
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
  const parts = request.parts ?? [];
  for (const [path, mode] of DIRECTORIES) tree.add(path, { type: "directory", mode }, "every image");
  if (request.busybox !== undefined || parts.length > 0) addLinksAbove(tree, root);
  addParts(tree, root, parts, new Set((request.files ?? []).map(({ to }) => to)));
  tree.add("dev/console", { type: "char", rdev: "5:1", mode: 0o600 }, "every image");
  tree.add("dev/null", { type: "char", rdev: "1:3", mode: 0o666 }, "every image");
  tree.add("init", { type: "file", data: hostFile(request.init).data, mode: 0o755 }, "every image");
  const notes = parts.flatMap((part) => part.notes ?? []);
  const lacks = request.modules ? addModules(tree, root, request.modules, parts) : { notes: [], details: [] };
  for (const file of request.files ?? []) addFile(tree, file);
  // Last, as its applets only take the places that are free.
  if (request.busybox !== undefined) addBusybox(tree, root, request.busybox);
  return { entries: guarded(tree, request), why: (path) => tree.why(path), notes, lacks };
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

function addModules(
  tree: ImageTree,
  root: RootTree,
  { root: elsewhere, ...request }: ModuleRequest & { readonly root?: string },
  parts: readonly Part[],
): Image["lacks"] {
  const { modules, firmware, lists, notes, details } = collectModules(
    elsewhere === undefined ? root : new RootTree(elsewhere),
    {
      ...request,
      names: [...request.names, ...parts.flatMap((part) => part.modules ?? [])],
      expected: parts.flatMap((part) => part.modulesExpected ?? []),
      ifThere: [...(request.ifThere ?? []), ...parts.flatMap((part) => part.modulesIfThere ?? [])],
    },
    root,
  );
  const askedBy = new Map(
    parts.flatMap(({ why, modules: must = [], modulesExpected = [], modulesIfThere = [] }) =>
      [...must, ...modulesExpected, ...modulesIfThere].map((name) => [name, why] as const),
    ),
  );
  const directory = `lib/modules/${request.release}`;
  const file = { type: "file", mode: 0o644 } as const;
  for (const { path, data, askedAs = "", why = "asked for" } of modules)
    tree.add(`${directory}/${path}`, { ...file, data }, askedBy.get(askedAs) ?? why);
  for (const [name, list] of lists)
    tree.add(`${directory}/${name}`, { ...file, data: toBytes(list) }, "the kernel modules");
  for (const { path, data } of firmware)
    tree.add(`lib/firmware/${path}`, { ...file, data }, "firmware of a kernel module");
  return { notes, details };
}

function addFile(tree: ImageTree, { to, from, data, link, mode }: ExtraFile): void {
  if (link !== undefined) {
    tree.add(to, { type: "symlink", target: link }, "asked for");
  } else if (data) {
    tree.add(to, { type: "file", data, mode: mode ?? 0o644 }, "asked for");
  } else if (from !== undefined) {
    const file = hostFile(from);
    tree.add(to, { type: "file", data: file.data, mode: mode ?? file.mode }, "asked for");
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
    tree.add(path, { type: "file", data: new Uint8Array(0), mode: 0o644 }, "every image");
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
