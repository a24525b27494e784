/** The devices that were there before we looked: their modaliases, out of sysfs. */

import type { DirEntry } from "../../syscalls/types.ts";
import { SysError } from "../../syscalls/error.ts";

/** What the walk reads with; `list` may throw SysError for a directory that has just gone. */
export interface SysfsReader {
  readonly list: (path: string) => DirEntry[];
  readonly readTextIfThere: (path: string) => string | undefined;
}

/**
 * The modaliases of all devices below `root`, the devices of the shallowest depth first.
 *
 * Links are never followed: every device is a directory of its own in /sys/devices
 * (Documentation/admin-guide/sysfs-rules.rst). Directories that can't hold a device are passed over by
 * name; the walk ends at `most` directories, far more than any machine has.
 */
export function findModaliases(
  { list, readTextIfThere }: SysfsReader,
  root = "/sys/devices",
  most = 100_000,
): Set<string> {
  const found = new Set<string>();
  const directories = [root];
  // The list grows while it is walked.
  for (let at = 0; at < directories.length; at++) {
    const directory = directories[at] ?? "";
    for (const { name, type } of listIfThere(list, directory)) {
      if (type === "directory") {
        if (!DEVICELESS.has(name) && directories.length < most) directories.push(`${directory}/${name}`);
      } else if (name === "modalias") {
        const modalias = readModalias(readTextIfThere, `${directory}/${name}`);
        if (modalias) found.add(modalias);
      }
    }
  }
  return found;
}

// Directories of attributes, and classes of devices without drivers of their own to load.
const DEVICELESS: ReadonlySet<string> = new Set([
  "bdi",
  "block",
  "clockevents",
  "clocksource",
  "integrity",
  "link",
  "machinecheck",
  "mem",
  "memory",
  "mq",
  "msi_irqs",
  "net",
  "power",
  "queue",
  "queues",
  "statistics",
  "thermal_throttle",
  "topology",
  "trace",
  "tty",
  "vc",
  "vtconsole",
  "workqueue",
]);

function readModalias(readTextIfThere: (path: string) => string | undefined, path: string): string {
  try {
    return (readTextIfThere(path) ?? "").trimEnd();
  } catch (error) {
    if (error instanceof SysError) return "";
    throw error;
  }
}

// A device may go away while it is looked at; one that can't be read must not hide the others.
function listIfThere(list: (path: string) => DirEntry[], path: string): DirEntry[] {
  try {
    return list(path);
  } catch (error) {
    if (error instanceof SysError) return [];
    throw error;
  }
}
