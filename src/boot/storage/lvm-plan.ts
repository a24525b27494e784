/** Which logical volumes the boot needs, and which of them can be activated with the physical volumes that are there. */

import type { DeviceRef } from "../devices/deviceref.ts";
import type { LogicalVolume, PhysicalVolume, VolumeGroup } from "./lvm-group.ts";
import { dmName, isName, isPartOfVolume } from "./lvm-names.ts";
import type { LvmSettings } from "./lvm-settings.ts";

/** What is on one physical volume that is there. */
export interface Present {
  /** The id of the physical volume. */
  readonly id: string;
  readonly group: VolumeGroup | undefined;
}

/** A volume group, by its newest metadata. */
export interface GroupState {
  readonly group: VolumeGroup;
  /** How many of its physical volumes are there. */
  readonly have: number;
  readonly missing: readonly PhysicalVolume[];
}

/** Why a logical volume is wanted, which decides how lvm is asked for it. */
export type Reason =
  /** By its own name: it is activated even if it is marked to be skipped. */
  | "named"
  /** By its group's name. */
  | "group"
  /** Because anything may be needed: only what lvm.conf and the marks of the volume let be activated by itself. */
  | "any";

export interface WantedVolume {
  readonly volume: LogicalVolume;
  readonly reason: Reason;
  /** Every physical volume that it needs is there. */
  readonly ready: boolean;
}

/** A volume group with those of its volumes that are wanted and not active yet. */
export interface GroupPlan extends GroupState {
  readonly wanted: readonly WantedVolume[];
}

/** What is there and what is to be done with it. `active` are the names that device-mapper has. */
export function planGroups(
  present: readonly Present[],
  wants: Wants,
  active: ReadonlySet<string>,
): GroupPlan[] {
  const states = gatherGroups(present);
  const all = states.map(({ group }) => group);
  return states.map((state) => {
    const missing = new Set(state.missing.map(({ id }) => id));
    const wanted = wantedVolumes(wants, state.group, all)
      .filter(({ volume }) => !active.has(dmName(state.group.name, volume.name)))
      .map((one) => ({ ...one, ready: !one.volume.needs.some((id) => missing.has(id)) }));
    return { ...state, wanted };
  });
}

/** The volume groups of which at least one physical volume with metadata is there, by name. */
function gatherGroups(present: readonly Present[]): GroupState[] {
  const newest = new Map<string, VolumeGroup>();
  for (const { group } of present)
    if (group !== undefined && group.sequence > (newest.get(group.id)?.sequence ?? -1))
      newest.set(group.id, group);
  const ids = new Set(present.map(({ id }) => id));
  return [...newest.values()]
    .map((group) => {
      const missing = group.physicalVolumes.filter(({ id }) => !ids.has(id));
      return { group, have: group.physicalVolumes.length - missing.length, missing };
    })
    .sort((a, b) => (a.group.name < b.group.name ? -1 : 1));
}

/** What the boot asks for: by parameters, and by the devices that it needs. */
export interface Wants {
  readonly groups: readonly string[];
  readonly volumes: readonly { readonly group: string; readonly volume: string }[];
  /** Names below /dev/mapper, each of a logical volume or of something else: only the metadata tells. */
  readonly mapped: readonly string[];
  /** Parameters name what is activated, and nothing else is but what the boot needs by name. */
  readonly explicit: boolean;
  /** Anything may be needed, as a device is asked for by what it holds. */
  readonly any: boolean;
}

/** What the parameters and the devices that the boot needs ask for. */
export function wantsOf(settings: LvmSettings, needs: readonly DeviceRef[]): Wants {
  const named = needs.map(volumeOf).filter((volume) => volume !== undefined);
  const mapped = needs.flatMap((need) => mappedName(need) ?? []);
  const explicit = settings.groups.length + settings.volumes.length > 0;
  return {
    groups: settings.groups,
    volumes: [...settings.volumes, ...named],
    mapped,
    explicit,
    any: !explicit && (needs.length === 0 || needs.some(mayBeAnyVolume)),
  };
}

/**
 * The volumes of a group that are wanted. A name below /dev/mapper that is no volume of any group may be that of an
 * encrypted volume, which may lie on any.
 */
function wantedVolumes(
  wants: Wants,
  group: VolumeGroup,
  all: readonly VolumeGroup[],
): Omit<WantedVolume, "ready">[] {
  const { name } = group;
  const any = wants.any || (!wants.explicit && wants.mapped.some((mapped) => !isVolumeOf(mapped, all)));
  return group.volumes.flatMap((volume) => {
    const named =
      wants.volumes.some((one) => one.group === name && one.volume === volume.name) ||
      wants.mapped.includes(dmName(name, volume.name));
    if (named) return { volume, reason: "named" as const };
    if (!volume.visible || isPartOfVolume(dmName(name, volume.name), "LVM-")) return [];
    if (wants.groups.includes(name)) return { volume, reason: "group" as const };
    return any ? { volume, reason: "any" as const } : [];
  });
}

/** The modules of the kernel for segments of these types (the names of its targets). */
export function modulesFor(types: readonly string[]): string[] {
  const more = types.flatMap((type) => MODULES[type] ?? (type.startsWith("raid") ? ["dm_raid"] : []));
  return [...new Set(["dm_mod", ...more])];
}

const MODULES: Readonly<Record<string, readonly string[]>> = {
  mirror: ["dm_mirror"],
  snapshot: ["dm_snapshot"],
  thin: ["dm_thin_pool"],
  "thin-pool": ["dm_thin_pool"],
  cache: ["dm_cache", "dm_cache_smq"],
  "cache-pool": ["dm_cache", "dm_cache_smq"],
  writecache: ["dm_writecache"],
  integrity: ["dm_integrity"],
  vdo: ["dm_vdo"],
  "vdo-pool": ["dm_vdo"],
  zero: ["dm_zero"],
};

/** Directories of /dev that are nobody's volume group. */
const otherDirectories = new Set(["mapper", "disk", "md", "block", "cciss", "ida", "rd", "zvol"]);

function volumeOf(need: DeviceRef): { group: string; volume: string } | undefined {
  if (need.kind !== "path") return undefined;
  const [group = "", volume = "", ...more] = need.name.split("/");
  return isName(group) && isName(volume) && more.length === 0 && !otherDirectories.has(group)
    ? { group, volume }
    : undefined;
}

// A partition's tags and the names of disks mean no volume.
function mayBeAnyVolume(need: DeviceRef): boolean {
  if (need.kind === "path") return /^(?:disk\/|dm-)/.test(need.name);
  return need.kind === "number" || need.tag === "UUID" || need.tag === "LABEL";
}

function mappedName(need: DeviceRef): string | undefined {
  return need.kind === "path" ? /^mapper\/([^/]+)$/.exec(need.name)?.[1] : undefined;
}

function isVolumeOf(mapped: string, groups: readonly VolumeGroup[]): boolean {
  return groups.some(({ name, volumes }) => volumes.some((volume) => dmName(name, volume.name) === mapped));
}
