/** Takes in the devices that are there, and from then on those that come. */

import { list, readTextIfThere } from "../../syscalls/index.ts";
import { findModaliases } from "../modules/coldplug.ts";
import type { BlockDevices } from "./blockdevices.ts";
import type { Boot } from "./context.ts";
import type { KernelModules } from "./kmodules.ts";
import { openUevents } from "./uevents.ts";

/**
 * Begins to listen first and looks around second, so that no device falls between the two. Modules
 * are loaded in the background: whoever waits for a device waits for its event.
 */
export async function watchDevices(
  { sys, log }: Boot,
  devices: BlockDevices,
  modules: KernelModules,
): Promise<void> {
  const files = {
    list: (path: string) => list(sys, path),
    readTextIfThere: (path: string) => readTextIfThere(sys, path),
  };
  const lookAround = (): void => {
    devices.scan();
    modules.request([...findModaliases(files)]);
  };
  const uevents = openUevents(sys);
  void uevents.run(log, {
    event: (event) => {
      devices.handle(event);
      const modalias = event.action === "add" ? event.values.get("MODALIAS") : undefined;
      if (modalias !== undefined) modules.request([modalias]);
    },
    lost: lookAround,
  });
  if (modules.first.length > 0) await modules.load(modules.first);
  lookAround();
  if (modules.last.length > 0) void modules.settled().then(() => modules.load(modules.last));
}
