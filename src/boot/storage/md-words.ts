/** What is said of arrays. */

import { text } from "../../lib/bytes.ts";
import { colonUuid } from "../../lib/uuid.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";
import type { Member } from "./layer.ts";
import { type MdArray, judge, spareSlots } from "./md-arrays.ts";
import { withoutHost } from "./md-conf.ts";

/** "array 6a1c0de5:11aa22bb:33cc44dd:55ee66ff (root, raid1)" */
export function describeArray(array: MdArray): string {
  const name = withoutHost(array.label);
  const facts = [...(name === undefined || name === "" ? [] : [text(name)]), array.level];
  return `array ${colonUuid(array.uuid)} (${facts.join(", ")})`;
}

/** "1 of 2 members (vda)" */
export function describeMembers(array: MdArray): string {
  const names = array.fresh.length === 0 ? "" : ` (${namesOf(array.fresh)})`;
  return `${array.slots} of ${array.raidDisks} members${names}`;
}

/** "vda and vdb" */
export function namesOf(devices: readonly BlockDevice[]): string {
  const names = devices.map(({ name }) => text(name));
  const last = names.pop() ?? "none";
  return names.length === 0 ? last : `${names.join(", ")} and ${last}`;
}

/** Why it does not run as it is: "it has 1 of 3 members (vda), and needs at least 2 at this level". */
export function lack(array: MdArray): string {
  if (judge(array) !== "too few") return `it has ${describeMembers(array)}, and waits for the others`;
  const spare = spareSlots(array);
  const least = spare === undefined ? 1 : array.raidDisks - spare;
  const all = least === array.raidDisks ? "all" : `at least ${least}`;
  return `it has ${describeMembers(array)}, and needs ${all} at this level`;
}

/** About an array that does not run; `why` is a clause. */
export function failureWords(array: MdArray, why: string): string {
  return `${describeArray(array)} could not be started: ${why}.`;
}

/** About members that rd.md=0 leaves alone, if there are any. */
export function switchedOffWords(members: readonly Member[]): string[] {
  const devices = members.map(({ device }) => device);
  return devices.length === 0 ? [] : [`rd.md=0 keeps ${namesOf(devices)} from becoming an array.`];
}

/** A time that is left, in seconds: in steps, so that a wait is not told anew with every event. */
export function roundUp_s(left_ms: number): number {
  const left_s = Math.ceil(left_ms / 1000);
  return left_s > 5 ? Math.ceil(left_s / 5) * 5 : Math.max(left_s, 1);
}

/** The warning about an array that was started degraded; `waited_ms` is how long for its other members, 0 if not. */
export function degradedWarning(array: MdArray, device: string, waited_ms: number): string {
  const what = `${describeArray(array)} runs degraded, with ${describeMembers(array)}`;
  if (waited_ms === 0)
    return `${what}, as it did before. Put a disk in the place of the missing one: 'mdadm ${device} --add DISK'.`;
  return (
    `${what}: no other came within ${waited_ms / 1000} s. Look for the missing disk and put it back by ` +
    `'mdadm ${device} --re-add DISK', or a new one by '--add'. If the missing one was used without these, ` +
    `what they hold is old.`
  );
}

/** What is told of members that can't take part; sentences. */
export function leftOutWarnings(array: MdArray): string[] {
  const { stale, parted, copies } = array;
  const old = stale.filter((device) => !parted.includes(device));
  return [
    ...(old.length === 0 ? [] : [`it has gone on without ${namesOf(old)}, and does again`]),
    ...(parted.length === 0
      ? []
      : [
          `${namesOf(parted)} and ${namesOf(array.fresh)} have each gone on without the other; it is left out`,
        ]),
    ...(copies.length === 0 ? [] : [`${namesOf(copies)} holds a copy of another member, and is left out`]),
  ].map((words) => `${describeArray(array)}: ${words}.`);
}

/** About members of an array that runs already. */
export function lateWords(array: MdArray, late: readonly BlockDevice[]): string {
  return (
    `${namesOf(late)} came too late for ${describeArray(array)}, which runs without it; ` +
    `'mdadm --manage --re-add' puts it back.`
  );
}

/** About an array that the command line names and of which nothing is there; a clause. */
export function absentWords(uuid: string): string {
  return `array ${colonUuid(uuid)}, which rd.md.uuid= names, has no member here`;
}

/** About an array that is not put together; `isNamed` when the command line names others. */
export function unwantedWords(array: MdArray, isNamed: boolean): string {
  const reason = isNamed ? "rd.md.uuid= names others only" : "mdadm.conf in the image forbids it";
  return `${describeArray(array)} is left alone: ${reason}.`;
}

/** About a member whose superblock can't be trusted; a sentence, if it is one. */
export function damagedWords({ device, found }: Member): string[] {
  return found.damaged === undefined
    ? []
    : [`${text(device.name)} is left out of its array: its ${found.damaged}.`];
}

/** The kinds of containers whose metadata is no matter of the kernel's, by the types of their members. */
export const CONTAINERS: Readonly<Record<string, string>> = {
  isw_raid_member: "a RAID of Intel's firmware (IMSM)",
  ddf_raid_member: "a RAID of a disk controller's firmware (DDF)",
};

/** About members of containers, a sentence for each kind. */
export function containerWords(members: readonly Member[]): string[] {
  return Object.entries(CONTAINERS).flatMap(([type, what]) => {
    const own = members.filter(({ found }) => found.type === type).map(({ device }) => device);
    const belong = own.length === 1 ? "belongs" : "belong";
    return own.length === 0 ? [] : [`${namesOf(own)} ${belong} to ${what}, which rdinit leaves alone.`];
  });
}
