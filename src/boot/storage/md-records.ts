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

/** Makes the record of each array among these physical volumes; a sentence about each that fails. */
export function recordArrays(sys: Syscalls, members: readonly Member[]): string[] {
  const problems: string[] = [];
  for (const { device } of members) {
    // Partitions of arrays are taken up at their "add" in any case.
    if (!/^md[_\d]/.test(device.name) || device.partition !== undefined) continue;
    try {
      makeRecord(sys, device.rdev, "E:LVM_MD_PV_ACTIVATED=1\n");
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      problems.push(`udev can't be told of the volume group on ${device.name}: ${describe(error)}.`);
    }
  }
  return problems;
}
