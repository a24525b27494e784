/** What the metadata of a volume group says: its physical volumes, and what each logical volume is made of. */

import { type Section, parseText, textOf, textsOf } from "./lvm-text.ts";

export interface VolumeGroup {
  readonly id: string;
  readonly name: string;
  /** Counts the changes: of two copies the one with the higher number is the newer. */
  readonly sequence: number;
  /** It is exported, or marked as another system's or as several systems' (lvmsystemid(7), lvmlockd(8)). */
  readonly reserved: boolean;
  readonly physicalVolumes: readonly PhysicalVolume[];
  readonly volumes: readonly LogicalVolume[];
}

export interface PhysicalVolume {
  /** With hyphens, as pvs(8) shows it. */
  readonly id: string;
  /** The node that it was last seen at. */
  readonly lastSeen: string | undefined;
}

export interface LogicalVolume {
  readonly name: string;
  /** False for the parts of other volumes, which have no name of their own for people. */
  readonly visible: boolean;
  /** The ids of all physical volumes that it lies on, its parts included. */
  readonly needs: readonly string[];
  /** The types of its segments and those of its parts: "striped", "raid1", "thin-pool". */
  readonly types: readonly string[];
}

/**
 * Reads the metadata of a volume group (lib/format_text/import_vsn1.c). Returns what is wrong with it, as a clause,
 * when it can't be read. Never throws.
 */
export function parseGroup(source: string): VolumeGroup | string {
  const whole = parseText(source);
  if (typeof whole === "string") return whole;
  const [entry, ...others] = whole.sections;
  if (entry === undefined || others.length > 0) return "it does not describe one volume group";
  const [name, group] = entry;
  const id = textOf(group, "id");
  const sequence = group.values.get("seqno");
  if (id === undefined || typeof sequence !== "number") return "the volume group in it has no id or no seqno";
  const physical = physicalVolumesOf(group);
  return {
    id,
    name,
    sequence,
    reserved: isReserved(group),
    physicalVolumes: [...physical.values()],
    volumes: volumesOf(group, physical),
  };
}

// Whether it is this system's all the same is for lvm to say, which knows what this one is called.
function isReserved(group: Section): boolean {
  const marks = [textOf(group, "system_id") ?? "", textOf(group, "lock_type") ?? ""];
  return (
    textsOf(group, "status").includes("EXPORTED") || marks.some((mark) => mark !== "" && mark !== "none")
  );
}

function physicalVolumesOf(group: Section): Map<string, PhysicalVolume> {
  const all = new Map<string, PhysicalVolume>();
  for (const [name, section] of group.sections.get("physical_volumes")?.sections ?? []) {
    const id = textOf(section, "id");
    if (id !== undefined) all.set(name, { id, lastSeen: textOf(section, "device") });
  }
  return all;
}

function volumesOf(group: Section, physical: ReadonlyMap<string, PhysicalVolume>): LogicalVolume[] {
  const sections = group.sections.get("logical_volumes")?.sections ?? new Map<string, Section>();
  const parts = new Map([...sections].map(([name, section]) => [name, partsOf(section)]));
  for (const [name, section] of sections)
    for (const user of snapshotUsers(section)) parts.get(user)?.names.push(name);
  return [...sections].map(([name, section]) => ({
    name,
    visible: textsOf(section, "status").includes("VISIBLE"),
    ...follow(name, parts, physical),
  }));
}

interface Parts {
  /** All texts in its segments: the names of physical and of logical volumes are among them. */
  readonly names: string[];
  readonly types: readonly string[];
}

function partsOf(volume: Section): Parts {
  const segments = [...volume.sections.values()];
  return {
    names: segments.flatMap((segment) =>
      [...segment.values.keys()].filter((key) => key !== "type").flatMap((key) => textsOf(segment, key)),
    ),
    types: segments.flatMap((segment) => textsOf(segment, "type")),
  };
}

// An old snapshot is a hidden volume that names its origin and its store. One is never active without the other.
function snapshotUsers(volume: Section): string[] {
  return [...volume.sections.values()]
    .filter((segment) => textOf(segment, "type") === "snapshot")
    .flatMap((segment) => ["origin", "cow_store", "merging_store"].flatMap((key) => textsOf(segment, key)));
}

function follow(
  volume: string,
  parts: ReadonlyMap<string, Parts>,
  physical: ReadonlyMap<string, PhysicalVolume>,
): Pick<LogicalVolume, "needs" | "types"> {
  const seen = new Set([volume]);
  const needs = new Set<string>();
  const types = new Set<string>();
  // A set grows while it is walked, so each part is met once however they refer to each other.
  for (const part of seen) {
    const { names = [], types: own = [] } = parts.get(part) ?? {};
    for (const type of own) types.add(type.replace(/\+.*$/, ""));
    for (const name of names) {
      const found = physical.get(name);
      if (found !== undefined) needs.add(found.id);
      else if (parts.has(name)) seen.add(name);
    }
  }
  return { needs: [...needs], types: [...types] };
}
