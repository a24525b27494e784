/** Layers as people read them: "/ is ext4 on /dev/mapper/vg-root: LVM on md0 (raid1) on vda1, vdb1 (virtio_blk)". */

import { text } from "../../lib/bytes.ts";
import type { Layer } from "./layer.ts";

/** A clause about a mounted file system, or about a device. */
export function describeLayer(layer: Layer): string {
  const { kind, node, what, below } = layer;
  if (kind !== "file system" && kind !== "network") return named(layer);
  const [only, ...others] = below;
  const is = `${text(node)} is ${text(what)}`;
  return only && others.length === 0 && isStacked(only) ? `${is} on ${named(only)}` : is + on(below, 0);
}

function named(layer: Layer): string {
  return text(layer.node) + nature(layer, ": ", "", 0);
}

/** Deeper than anybody wants to read: what stands on itself in many ways would take pages. */
const DEEPEST = 10;

// What a device is and stands on, behind its name.
function nature(layer: Layer, open: string, close: string, depth: number): string {
  const { kind, what, below } = layer;
  if (kind === "disk") return what === "" ? "" : ` (${text(what)})`;
  if (kind !== "partition") return `${open}${text(what)}${close}${on(collapsed(layer), depth)}`;
  // A partition is told by its disk.
  const [disk] = below;
  if (!disk) return "";
  return isStacked(disk) ? on(below, depth) : nature(disk, open, close, depth);
}

function on(layers: readonly Layer[], depth: number): string {
  if (layers.length === 0) return "";
  if (depth === DEEPEST) return " on others";
  // Disks with the same drivers share their brackets.
  const groups: { names: string[]; nature: string }[] = [];
  for (const layer of layers) {
    const name = text(layer.node.replace(/^\/dev\/(?:mapper\/)?/, ""));
    const itsNature = nature(layer, " (", ")", depth + 1);
    const last = groups.at(-1);
    if (last?.nature === itsNature && !isStacked(layer)) last.names.push(name);
    else groups.push({ names: [name], nature: itsNature });
  }
  const parts = groups.map((group) => group.names.join(", ") + group.nature);
  return ` on ${parts.join(layers.some(isStacked) ? " and " : ", ")}`;
}

// Volumes that volumes are made of are no news.
function collapsed(layer: Layer): readonly Layer[] {
  if (layer.kind !== "volume") return layer.below;
  const found = new Set<Layer>();
  const passed = new Set<Layer>();
  const visit = (one: Layer): void => {
    if (passed.has(one)) return;
    passed.add(one);
    if (one.kind !== "volume") found.add(one);
    else for (const below of one.below) visit(below);
  };
  visit(layer);
  return [...found];
}

function isStacked({ kind, below }: Layer): boolean {
  return kind === "partition" ? below.some(isStacked) : kind !== "disk";
}
