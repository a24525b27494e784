/**
 * What udevd is told of arrays that are physical volumes of LVM.
 *
 * LVM's 69-lvm.rules take such an array up at the event "change" with which md says that it runs, and note in udev's
 * record that they did (LVM_MD_PV_ACTIVATED=1). The udevd of the real system meets the array by an event "add". Without
 * that note it would look for no volume group on it, and systemd would never find the device (SYSTEMD_READY=0).
 */

import { SysError, type Syscalls } from "../../../syscalls/index.ts";
import { describe } from "../../lib/errors.ts";
import type { Member } from "./layer.ts";
import { makeRecord } from "./udev-record.ts";

/** The type of the members that recordArrays() looks at. */
export const PHYSICAL_VOLUME = "LVM2_member";

/** Makes the record of each array among these members that is a physical volume; a sentence about each that fails. */
export function recordArrays(sys: Syscalls, members: readonly Member[]): string[] {
  const problems: string[] = [];
  for (const { device, found } of members) {
    // Partitions of arrays are taken up at their "add" in any case.
    if (found.type !== PHYSICAL_VOLUME || !/^md[_\d]/.test(device.name) || device.partition !== undefined)
      continue;
    try {
      makeRecord(sys, device.rdev, "E:LVM_MD_PV_ACTIVATED=1\n");
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      problems.push(`udev can't be told of the volume group on ${device.name}: ${describe(error)}.`);
    }
  }
  return problems;
}
