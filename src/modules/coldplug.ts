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
 * system calls. The few that have a modalias and no bus are named below. With `mayResolve`, buses are
 * passed over for whose kinds of modalias there can be no module.
 */
export function findModaliases(
  { list, readTextIfThere }: SysfsReader,
  mayResolve: (scheme: string) => boolean = () => true,
): Set<string> {
  const found = new Set<string>();
  const add = (path: string): void => {
    const modalias = readModalias(readTextIfThere, path);
    if (modalias !== "") found.add(modalias);
  };
  const wanted = (name: string): boolean => schemes[name]?.some(mayResolve) ?? true;
  const lists = names(list, "/sys/bus")
    .filter(wanted)
    .map((bus) => `/sys/bus/${bus}/devices`);
  for (const directory of [...lists, ...classes.filter(wanted).map((name) => `/sys/class/${name}`)])
    for (const device of names(list, directory)) add(`${directory}/${device}/modalias`);
  // The feature bits of the processor, which the crypto modules go by.
  if (wanted("cpu features")) add("/sys/devices/system/cpu/modalias");
  return found;
}

/** Classes of devices that have a modalias and no bus: keyboards and the like, and the board's identity. */
const classes: readonly string[] = ["input", "dmi"];

/**
 * What modaliases begin with on the buses (and in the classes) that every machine has; none where no
 * device asks for a driver. A bus that is not named here is always read.
 */
const schemes: Readonly<Record<string, readonly string[]>> = {
  pci: ["pci"],
  virtio: ["virtio"],
  usb: ["usb"],
  scsi: ["scsi"],
  hid: ["hid"],
  serio: ["serio"],
  acpi: ["acpi", "of"],
  platform: ["platform", "acpi", "of"],
  pnp: ["pnp", "acpi"],
  i2c: ["i2c", "acpi", "of"],
  spi: ["spi", "acpi", "of"],
  input: ["input"],
  dmi: ["dmi"],
  "cpu features": ["cpu"],
  pci_express: [],
  clockevents: [],
  clocksource: [],
  container: [],
  cpu: [],
  edac: [],
  event_source: [],
  machinecheck: [],
  memory: [],
  memory_tiering: [],
  node: [],
  workqueue: [],
};

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
