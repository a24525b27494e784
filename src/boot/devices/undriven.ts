/** The devices that nothing drives. */

import { type Syscalls, exists } from "../../../syscalls/index.ts";
import { namesIn, readAttribute } from "./attributes.ts";

/**
 * The modaliases of the devices on any bus that no driver has taken, be it a module or built into the
 * kernel: sysfs gives a device with a driver a link of that name (admin-guide/sysfs-rules.rst).
 */
export function undrivenModaliases(sys: Syscalls): Set<string> {
  const found = new Set<string>();
  for (const bus of namesIn(sys, "/sys/bus"))
    for (const device of namesIn(sys, `/sys/bus/${bus}/devices`)) {
      const directory = `/sys/bus/${bus}/devices/${device}`;
      if (!exists(sys, `${directory}/driver`)) found.add(readAttribute(sys, `${directory}/modalias`) ?? "");
    }
  return found;
}
