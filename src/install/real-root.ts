/** How this machine's own root is named for a boot. */

import { readdirSync, statSync } from "node:fs";
import { parseCommandLine, sameName } from "../boot/cmdline/cmdline.ts";

/** True when these parameters for /init name the real root. */
export function namesRoot(words: string): boolean {
  return parseCommandLine(words).some(
    ({ name, value }) => value !== undefined && (sameName(name, "root") || sameName(name, "rd.root")),
  );
}

/**
 * "root=UUID=…" for the filesystem that is `/` now, by the links that udev makes; undefined when none leads to its
 * device. `byUuid` is their directory, and `dev` what the device's number is.
 */
export function runningRoot(
  byUuid = "/dev/disk/by-uuid",
  dev: number = statSync("/").dev,
): string | undefined {
  try {
    const uuid = readdirSync(byUuid).find(
      (name) => statSync(`${byUuid}/${name}`, { throwIfNoEntry: false })?.rdev === dev,
    );
    return uuid === undefined ? undefined : `root=UUID=${uuid}`;
  } catch {
    return undefined;
  }
}
