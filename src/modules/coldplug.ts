/** The devices that were there before we looked: their modaliases, out of sysfs. */

import type { DirEntry } from "../../syscalls/types.ts";
import { SysError } from "../../syscalls/error.ts";

/** What the search reads with; `list` may throw SysError for a directory that has just gone. */
export interface SysfsReader {
  readonly list: (path: string) => DirEntry[];
  readonly readTextIfThere: (path: string) => string | undefined;
}

/**
 * The modaliases of all devices, each once.
 *
 * Whatever asks for a driver is on a bus, so the lists of devices that the buses keep
 * (Documentation/admin-guide/sysfs-rules.rst) are read instead of all of /sys/devices: a tenth of the
 * system calls. The few that have a modalias and no bus are named below.
 */
export function findModaliases({ list, readTextIfThere }: SysfsReader): Set<string> {
  const found = new Set<string>();
  const add = (path: string): void => {
    const modalias = readModalias(readTextIfThere, path);
    if (modalias !== "") found.add(modalias);
  };
  const lists = names(list, "/sys/bus")
    .filter((bus) => !driverless.has(bus))
    .map((bus) => `/sys/bus/${bus}/devices`);
  for (const directory of [...lists, ...classes])
    for (const device of names(list, directory)) add(`${directory}/${device}/modalias`);
  // The feature bits of the processor, which the crypto modules go by.
  add("/sys/devices/system/cpu/modalias");
  return found;
}

/** Classes of devices that have a modalias and no bus: keyboards and the like, and the board's identity. */
const classes: readonly string[] = ["/sys/class/input", "/sys/class/dmi"];

/** Buses with many devices, none of which asks for a driver. */
const driverless: ReadonlySet<string> = new Set([
  "clockevents",
  "clocksource",
  "container",
  "cpu",
  "edac",
  "event_source",
  "machinecheck",
  "memory",
  "memory_tiering",
  "node",
  "workqueue",
]);

// A device may go away while it is looked at; one that can't be read must not hide the others.
function names(list: SysfsReader["list"], path: string): string[] {
  try {
    return list(path).map((entry) => entry.name);
  } catch (error) {
    if (error instanceof SysError) return [];
    throw error;
  }
}

function readModalias(readTextIfThere: SysfsReader["readTextIfThere"], path: string): string {
  try {
    return (readTextIfThere(path) ?? "").trimEnd();
  } catch (error) {
    if (error instanceof SysError) return "";
    throw error;
  }
}
