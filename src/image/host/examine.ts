/** What the root of a running machine needs to be mounted: `--host`, and what `rdinit check` holds an image against. */

import { text } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import type { FileTree } from "../file-tree.ts";
import type { Part } from "../part.ts";
import { keyboardPart } from "./keyboards.ts";
import { allLayers, type Layer, type Tool } from "./layer.ts";
import { mountAt, parseMountinfo } from "./mountinfo.ts";
import { attribute, readText } from "./sysfs.ts";
import { Walk } from "./walk.ts";

export { describeLayer } from "./describe.ts";
export { allLayers, type Layer, type Tool } from "./layer.ts";

/** What was found. */
export interface HostNeeds {
  /** The modules of the layers and of all that they hang from, and notes about what can't be had. */
  readonly part: Part;
  readonly keyboards: Part;
  /** Recipes of tools that the layers need, each once. */
  readonly tools: readonly Tool[];
  /** The file systems, or the device, with all that they are on; of a host also the device that it wakes from. */
  readonly layers: readonly Layer[];
}

/**
 * Examines the machine whose / is `root` (with its /sys and /proc): what its mounts at these points need, and the device
 * that it wakes from when it was hibernated (/sys/power/resume, Documentation/power/swsusp.rst). Points at
 * which nothing is mounted are part of another, and passed over; one that is on no device is left out with a note.
 * Modules that are loaded are asked for by name; what other kernels may have instead, only if it is there.
 * @throws UserError when / is on no device, or /proc and /sys tell nothing
 */
export function examineHost(root: FileTree, points: readonly string[] = ["/", "/usr"]): HostNeeds {
  const mounts = parseMountinfo(readText(root, "/proc/self/mountinfo") ?? "");
  if (mounts.length === 0 || root.resolve("/sys/dev/block") === undefined)
    throw new UserError(
      `Nothing is to be read in ${text(root.outside("/proc/self/mountinfo"))} or ${text(root.outside("/sys/dev/block"))}, ` +
        "so --host can't tell which drivers this machine needs.",
      "Mount /proc and /sys, or use --generic.",
    );
  const walk = new Walk(root, mounts);
  const notes: string[] = [];
  const layers = points.flatMap((point) => {
    const mount = mountAt(mounts, point);
    if (!mount && point !== "/") return [];
    const layer = mount && walk.mounted(mount);
    if (layer) return [layer];
    const what = mount ? `is ${nounOf(mount.type)}` : "is not among its mounts";
    if (point === "/")
      throw new UserError(
        `This machine's root ${what}, so --host can't tell which drivers it needs.`,
        "Use --generic or --drivers.",
      );
    notes.push(`${text(point)} ${what}, so its drivers are not in the image.`);
    return [];
  });
  const wakesFrom = walk.numbered(attribute(root, "/sys/power/resume") ?? "0:0");
  const all = wakesFrom === undefined ? layers : [...layers, wakesFrom];
  return { ...needsOf(all, "the root of this machine", notes), keyboards: keyboardPart(root) };
}

/**
 * Examines a block device of the machine, "MAJOR:MINOR", as if `type` were mounted from it.
 * @throws UserError when there is no such device
 */
export function examineDevice(root: FileTree, rdev: string, type?: string): HostNeeds {
  const walk = new Walk(root, parseMountinfo(readText(root, "/proc/self/mountinfo") ?? ""));
  const device = /^\d+:\d+$/.test(rdev) ? walk.numbered(rdev) : undefined;
  if (!device) throw new UserError(`This machine has no block device ${text(rdev)}.`);
  const top =
    type === undefined ? device : walk.filesystem({ node: device.node, type, options: "" }, [device]);
  return { ...needsOf([top], `the disk ${text(device.node)}`, []), keyboards: keyboardPart(root) };
}

function needsOf(
  layers: readonly Layer[],
  why: string,
  notes: readonly string[],
): Omit<HostNeeds, "keyboards"> {
  const all = allLayers(layers);
  const modules = new Set(all.flatMap((layer) => layer.modules));
  const ifThere = new Set(all.flatMap(({ modulesIfThere }) => modulesIfThere));
  const tools = new Map<string, Tool>();
  for (const tool of all.flatMap((layer) => layer.tools))
    if (!tools.has(tool.name)) tools.set(tool.name, tool);
  const part: Part = {
    why,
    modules: [...modules],
    modulesIfThere: [...ifThere].filter((name) => !modules.has(name)),
    notes: [...notes, ...all.flatMap((layer) => layer.notes)],
  };
  return { part, tools: [...tools.values()], layers };
}

function nounOf(type: string): string {
  if (type === "overlay") return "an overlay of directories on no disk that can be seen";
  return MEMORY.has(type) ? `a ${type}, which is in memory` : `${text(type)} on no disk that can be seen`;
}

const MEMORY: ReadonlySet<string> = new Set(["tmpfs", "ramfs", "rootfs"]);
