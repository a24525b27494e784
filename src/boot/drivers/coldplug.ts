/** Takes in the devices that are there, and from then on those that come. */

import { type Syscalls, list, readTextIfThere } from "../../../syscalls/index.ts";
import { type SysfsReader, findModaliases } from "../../modules/coldplug.ts";
import { text } from "../../lib/bytes.ts";
import type { BlockDevices } from "../devices/blockdevices.ts";
import type { Boot } from "../context.ts";
import type { KernelModules } from "./kmodules.ts";
import { noteDevice } from "../timing/devices.ts";
import { undrivenModaliases } from "../devices/undriven.ts";
import type { Uevent } from "../devices/uevent.ts";
import { openUevents } from "../devices/uevents.ts";
import { sayIfSlow } from "../wait.ts";

/**
 * Begins to listen first and looks around second, so that no device falls between the two. Modules
 * are loaded in the background: whoever waits for a device waits for its event.
 */
export async function watchDevices(boot: Boot, devices: BlockDevices, modules: KernelModules): Promise<void> {
  const { sys, log } = boot;
  const lookAround = (): void => {
    devices.scan();
    modules.request([...findModaliases(sysfs(sys), (scheme) => modules.mayServe(scheme))]);
  };
  const uevents = openUevents(sys);
  void uevents.run(log, {
    events: (events) => {
      for (const event of events) noteDevice(boot.timing, event);
      devices.handle(...events);
      if (events.some(changesMore)) devices.wake();
      const added = events.filter(({ action }) => action === "add");
      const modaliases = new Set(added.flatMap(({ values }) => values.get("MODALIAS") ?? []));
      if (modaliases.size > 0) modules.request([...modaliases]);
    },
    lost: () => {
      lookAround();
      devices.wake();
    },
  });
  const { first } = modules;
  if (first.length > 0) {
    const names = first.map(text).join(", ");
    await sayIfSlow(
      boot,
      `loading ${names} before all others; the kernel is still at it`,
      modules.load(first),
    );
  }
  boot.timing.step("looking around", lookAround);
  for (const { name } of devices.all()) boot.timing.mark("device", name, "was there");
  if (modules.last.length > 0) void modules.settled().then(() => modules.load(modules.last));
}

/**
 * Whether somebody may wait for what this tells, although it is no block device: the chip that an encrypted volume needs,
 * or a directory that the host shares, which can be mounted now.
 */
function changesMore({ action, values }: Uevent): boolean {
  const subsystem = values.get("SUBSYSTEM");
  return subsystem === "tpmrm" || (action === "bind" && subsystem === "virtio");
}

/**
 * The modaliases of devices that may lead to disks, that have no driver, and that no module of the image
 * serves. This looks at all devices, also those that `watchDevices` passed over, so it is for when the
 * boot has failed.
 */
export async function missingModules({ sys }: Boot, modules: KernelModules): Promise<string[]> {
  modules.goOn();
  modules.request([...findModaliases(sysfs(sys))]);
  await Promise.race([modules.settled(), Bun.sleep(patience_ms)]);
  const undriven = undrivenModaliases(sys);
  return modules.missing().filter((modalias) => undriven.has(modalias));
}

// A driver that hangs must not hold up the report of what failed.
const patience_ms = 2000;

function sysfs(sys: Syscalls): SysfsReader {
  return { list: (path) => list(sys, path), readTextIfThere: (path) => readTextIfThere(sys, path) };
}
