/** Marks devices as they appear, by the kernel's events. */

import type { Lane } from "../../chart/record.ts";
import { text } from "../../lib/bytes.ts";
import type { Uevent } from "../devices/uevent.ts";
import type { Timing } from "./timing.ts";

/** Keeps that a disk, an interface or a chip is there, that a driver has taken a device, or that a volume is ready. */
export function noteDevice(timing: Timing, { action, devpath, values }: Uevent): void {
  if (!timing.isOn) return;
  const name = text(devpath.slice(devpath.lastIndexOf("/") + 1));
  const subsystem = values.get("SUBSYSTEM") ?? "";
  const lane = LANE_OF[subsystem];
  if (action === "bind") timing.mark("device", name, text(values.get("DRIVER") ?? ""));
  else if (action === "add" && lane !== undefined) timing.mark(lane, name);
  // An array or a volume is there before it can be read: a change says so.
  else if (action === "change" && subsystem === "block" && devpath.startsWith("/devices/virtual/"))
    timing.mark("device", name, text(values.get("DM_NAME") ?? "changed"));
}

const LANE_OF: Readonly<Record<string, Lane>> = {
  block: "device",
  tpmrm: "device",
  net: "network",
};
