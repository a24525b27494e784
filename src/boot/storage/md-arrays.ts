/**
 * The arrays that the superblocks of their members tell of, and whether they can be started.
 *
 * Each superblock of md names all members that worked when it was written, and counts its updates (`events`). When
 * a member fails, the others note that, and count on. So a member that is some updates behind is stale, and one that
 * says another has failed knows that it went on without it. What can't be known: whether a member that says that all
 * worked, and whose partner is missing, is the one that failed. What it holds is as old as the day when the other
 * went on alone. Such an array is waited for, and only then started degraded, with a loud word.
 */

import type { Found } from "../../probe/superblock.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";
import type { Member } from "./layer.ts";

export interface MdArray {
  /** Dashed. */
  readonly uuid: string;
  /** As mdadm names it: "raid1", "linear". */
  readonly level: string;
  /** "0.90", "1.0", "1.1", "1.2" */
  readonly metadata: string;
  /** Often "host:name"; a byte string. */
  readonly label: string | undefined;
  /** The number of its device when it was made; version 0.90 only. */
  readonly minor: number | undefined;
  /** How many members the complete array has, spares not counted. */
  readonly raidDisks: number;
  /** How many members its newest superblock says to work. */
  readonly working: number;
  /** How many of the array's slots have a fresh member. */
  readonly slots: number;
  /** Members that are as new as the newest, each in a slot. */
  readonly fresh: readonly BlockDevice[];
  /** Members that the newest has gone on without. */
  readonly stale: readonly BlockDevice[];
  /** Those of the stale ones that have gone on without the newest: their data is another. */
  readonly parted: readonly BlockDevice[];
  /** Copies of other members. */
  readonly copies: readonly BlockDevice[];
  /** Whether those are here that the newest superblock says to work. */
  readonly complete: boolean;
  /** All members that mdadm is to look at, spares too; not the copies. */
  readonly devices: readonly BlockDevice[];
}

/** The arrays of these members, in the order of their UUIDs. Damaged superblocks belong to none. */
export function arraysOf(members: readonly Member[]): MdArray[] {
  const byUuid = Map.groupBy(members.filter(isUsable), ({ found }) => found.uuid ?? "");
  return [...byUuid].map(([uuid, own]) => arrayOf(uuid, own)).sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
}

/**
 * How many slots may be empty at this level; undefined where that depends on which they are, which mdadm knows.
 */
export function spareSlots({ level, raidDisks }: MdArray): number | undefined {
  if (level === "raid1" || level === "multipath") return raidDisks - 1;
  if (level === "raid4" || level === "raid5") return 1;
  if (level === "raid6") return 2;
  return level === "raid10" ? undefined : 0;
}

/**
 * What can be done with an array as it is: "start" when all are here that are known to work; "wait" when it could
 * be started without those that are missing; "too few" when it could not.
 */
export function judge(array: MdArray): "start" | "wait" | "too few" {
  const allowed = spareSlots(array) ?? array.raidDisks - 1;
  if (array.slots === 0 || array.raidDisks - array.slots > allowed) return "too few";
  return array.complete ? "start" : "wait";
}

function isUsable({ found }: Member): boolean {
  if (found.type !== "linux_raid_member") return false;
  return found.uuid !== undefined && found.damaged === undefined && found.details?.["role"] !== undefined;
}

interface Part {
  readonly device: BlockDevice;
  readonly found: Found;
  /** Undefined for spares, journals and members that failed. */
  readonly slot: number | undefined;
  readonly events: bigint;
}

// The kernel takes a member that is one update behind: it was not reached any more (super_1_validate()).
const margin = 1n;

function arrayOf(uuid: string, members: readonly Member[]): MdArray {
  const { parts, copies } = withoutCopies(members.map(partOf).sort(byEvents));
  const newest = parts.find(({ slot }) => slot !== undefined) ?? parts[0];
  const found = newest?.found;
  const working = slotsOf(found);
  const wentOn = (part: Part): boolean =>
    newest?.slot !== undefined && !slotsOf(part.found).includes(newest.slot);
  const isFresh = (part: Part): boolean =>
    part.slot !== undefined &&
    working.includes(part.slot) &&
    part.events + margin >= (newest?.events ?? 0n) &&
    !wentOn(part);
  const fresh = parts.filter(isFresh);
  const stale = parts.filter((part) => part.slot !== undefined && !isFresh(part));
  const slots = new Set(fresh.map(({ slot }) => slot));
  return {
    uuid,
    level: found?.details?.["level"] ?? "",
    metadata: found?.version?.startsWith("0.") === true ? "0.90" : (found?.version ?? ""),
    label: found?.label,
    minor: found?.details?.["minor"] === undefined ? undefined : Number(found.details["minor"]),
    raidDisks: Number(found?.details?.["raid_disks"] ?? 0),
    working: new Set(working).size,
    slots: slots.size,
    fresh: byName(fresh),
    stale: byName(stale),
    parted: byName(stale.filter(wentOn)),
    copies: byName(copies),
    // While a member is replaced two share a slot, and mdadm asks for both.
    complete: working.every((slot) => slots.has(slot)) && fresh.length >= working.length,
    devices: byName(parts),
  };
}

function partOf({ device, found }: Member): Part {
  const role = found.details?.["role"] ?? "";
  return {
    device,
    found,
    slot: /^\d+$/.test(role) ? Number(role) : undefined,
    events: BigInt(found.details?.["events"] ?? 0),
  };
}

function byEvents(a: Part, b: Part): number {
  return a.events === b.events ? 0 : a.events > b.events ? -1 : 1;
}

// mdadm refuses an array of which one member is there twice: a copied disk, or two paths to one. Version 0.90 has no
// more than numbers, and gives that of a disk that has failed to the one that took its place.
function withoutCopies(parts: readonly Part[]): { parts: Part[]; copies: Part[] } {
  const seen = new Set<string>();
  const copies: Part[] = [];
  const own = parts.filter((part) => {
    const number = part.found.details?.["number"];
    const key = part.found.uuid_sub ?? (number === undefined ? undefined : `${number} ${part.events}`);
    if (key === undefined) return true;
    if (seen.has(key)) copies.push(part);
    else seen.add(key);
    return !copies.includes(part);
  });
  return { parts: own, copies };
}

function slotsOf(found: Found | undefined): number[] {
  const slots = found?.details?.["active"] ?? "";
  return slots === "" ? [] : slots.split(" ").map(Number);
}

function byName(parts: readonly Part[]): BlockDevice[] {
  return parts
    .map(({ device }) => device)
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}
