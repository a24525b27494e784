/** The devices that nothing drives. */

import {
  type DirEntry,
  SysError,
  type Syscalls,
  exists,
  list,
  readTextIfThere,
} from "../../../syscalls/index.ts";

/**
 * The modaliases of the devices on any bus that no driver has taken, be it a module or built into the
 * kernel: sysfs gives a device with a driver a link of that name (admin-guide/sysfs-rules.rst).
 */
export function undrivenModaliases(sys: Syscalls): Set<string> {
  const found = new Set<string>();
  for (const bus of listIfThere(sys, "/sys/bus"))
    for (const device of listIfThere(sys, `/sys/bus/${bus.name}/devices`)) {
      const directory = `/sys/bus/${bus.name}/devices/${device.name}`;
      if (!exists(sys, `${directory}/driver`)) found.add(readModalias(sys, `${directory}/modalias`));
    }
  return found;
}

// A device may go away while it is looked at.
function listIfThere(sys: Syscalls, path: string): DirEntry[] {
  try {
    return list(sys, path);
  } catch (error) {
    if (error instanceof SysError) return [];
    throw error;
  }
}

function readModalias(sys: Syscalls, path: string): string {
  try {
    return (readTextIfThere(sys, path) ?? "").trimEnd();
  } catch (error) {
    if (error instanceof SysError) return "";
    throw error;
  }
}
