/** What there is to say of volume groups that lack something. */

import { text } from "../../lib/bytes.ts";
import type { PhysicalVolume } from "./lvm-group.ts";
import type { PhysicalVolumeContents } from "./lvm-metadata.ts";
import type { GroupPlan, GroupState, Wants } from "./lvm-plan.ts";
import type { LvmSettings } from "./lvm-settings.ts";

/** A clause for the console. */
export function describeGroup(state: GroupState, { mode, timeout_ms }: LvmSettings): string {
  const missing = state.missing.map(({ id }) => `${text(id.split("-")[0] ?? "")}…`);
  const then = mode === "complete" ? "" : `; ${mode} activation after ${timeout_ms / 1000} s`;
  return `volume group ${haveOf(state)} (missing ${missing.join(", ")}${then})`;
}

/** A sentence about a group that still waits when the boot has failed. */
export function problemOfGroup(state: GroupState): string {
  return (
    `The volume group ${haveOf(state)}; missing: ${state.missing.map(describeMissing).join(", ")}. ` +
    "rd.lvm.activationmode=degraded (for RAID) or =partial activates what it can without them."
  );
}

/** Sentences about groups and volumes that are asked for by name and that are not there. */
export function problemsOfNames({ volumes, groups }: Wants, states: readonly GroupState[]): string[] {
  const asked = [...volumes, ...groups.map((group) => ({ group, volume: undefined }))];
  return asked.flatMap(({ group, volume }) => {
    const same = states.filter((state) => state.group.name === group);
    if (same.length === 0) return `No physical volume of the volume group ${text(group)} is there.`;
    const known = same.flatMap((state) => state.group.volumes);
    if (volume === undefined || known.some(({ name }) => name === volume)) return [];
    const visible = known.filter((one) => one.visible).map(({ name }) => text(name));
    const has = visible.length === 0 ? "it has none" : `it has ${visible.join(", ")}`;
    return `The volume group ${text(group)} has no logical volume ${text(volume)}; ${has}.`;
  });
}

/**
 * The groups and volumes that the parameters name, and that are neither active nor were tried.
 * @param wasTried whether a volume, "VG/LV", was tried, which is told elsewhere if it failed
 */
export function lacksOf(
  { groups, volumes }: LvmSettings,
  plans: readonly GroupPlan[],
  wasTried: (path: string) => boolean,
): string[] {
  const isOpen = (group: string, volume: string | undefined): boolean => {
    const same = plans.filter((plan) => plan.group.name === group);
    const has = same.some((plan) => plan.group.volumes.some(({ name }) => name === (volume ?? name)));
    const left = same.flatMap((plan) => plan.wanted.map((one) => one.volume.name));
    return !has || left.some((name) => name === (volume ?? name) && !wasTried(`${group}/${name}`));
  };
  return [
    ...groups.filter((group) => isOpen(group, undefined)).map((group) => `volume group ${text(group)}`),
    ...volumes
      .filter(({ group, volume }) => isOpen(group, volume))
      .map(({ group, volume }) => `logical volume ${text(group)}/${text(volume)}`),
  ];
}

/** A sentence about a physical volume whose metadata can't be read. */
export function problemOfMember(
  node: string,
  contents: PhysicalVolumeContents | "being read" | undefined,
): string | undefined {
  if (contents === undefined || contents === "being read" || contents.problem === undefined) return undefined;
  return `Of the physical volume ${node}, ${text(contents.problem)}.`;
}

function haveOf({ group, have }: GroupState): string {
  const all = group.physicalVolumes.length;
  return `${text(group.name)} has ${have} of ${all} physical volume${all === 1 ? "" : "s"}`;
}

function describeMissing({ id, lastSeen }: PhysicalVolume): string {
  return lastSeen === undefined ? text(id) : `${text(id)} (last seen as ${text(lastSeen)})`;
}
