/**
 * Drivers that the boot need not wait for. Once the root's device is there, controllers of other disks may take
 * seconds yet, and an exec(2) waits for each driver that process 1 has begun to load. A real system whose device manager
 * goes through all devices anew loads them as well, so what was not begun is left to it.
 */

import type { Syscalls } from "../../../syscalls/index.ts";
import { readNetworkSettings } from "../../network/settings.ts";
import type { Boot } from "../context.ts";
import { hasHooks } from "../hooks.ts";
import { hasModules } from "./kmodules.ts";
import type { HookPoint } from "../points.ts";
import { isInRoot } from "../mount/resolve.ts";

/**
 * Whether drivers may be held back now: not when a person or a hook may look for their devices, not when the network is
 * wanted, and not when the real system may come up without its device manager.
 */
export function mayHoldBack(boot: Boot): boolean {
  const { options, words } = boot;
  return (
    options.init === undefined &&
    options.breakAt.length === 0 &&
    !words.some(({ name, value }) => ENDS_EARLY.test(value === undefined ? name : `${name}=`)) &&
    !POINTS_BEHIND.some((point) => hasHooks(boot, point)) &&
    !readNetworkSettings(words).settings.isAskedFor
  );
}

/** Whether the system in `root` loads the drivers of its devices itself: it has modules of this kernel, and udev. */
export function loadsDrivers(sys: Syscalls, root: string): boolean {
  return hasModules(sys, root) && UDEV.some((path) => isInRoot(sys, root, path));
}

/** Words by which an init starts little more than a shell (systemd(1), init(8)). */
const ENDS_EARLY = /^(?:-b|-s|single|s|S|1|emergency|rescue|recovery|(?:rd\.)?systemd\.unit=)$/;

/** The points of the boot behind the search for the root. */
const POINTS_BEHIND: readonly HookPoint[] = ["pre-mount", "mount", "pre-pivot", "cleanup"];

/** Where distributions have it: systemd's, that of sysvinit's days, and eudev's. */
const UDEV: readonly string[] = [
  "/usr/lib/systemd/systemd-udevd",
  "/lib/systemd/systemd-udevd",
  "/usr/bin/udevd",
  "/sbin/udevd",
  "/usr/sbin/udevd",
  "/lib/udev/udevd",
];
