/** The layers of storage that process 1 knows. */

import type { BlockDevices } from "../devices/blockdevices.ts";
import type { Boot } from "../context.ts";
import type { StorageContext, StorageLayer } from "./layer.ts";
import { LuksLayer } from "./luks.ts";
import { readLuksSettings } from "./luks-settings.ts";
import { LvmLayer } from "./lvm.ts";
import { readLvmSettings } from "./lvm-settings.ts";
import { MdLayer } from "./md.ts";
import { readMdSettings } from "./md-settings.ts";

/** What stands here is built for each try of the boot. A new layer is a new row. */
const LAYERS: readonly ((boot: Boot, context: StorageContext, devices: BlockDevices) => StorageLayer)[] = [
  (boot, context) => new MdLayer(boot, context, readMdSettings(boot.words).settings),
  (boot, context) => new LvmLayer(boot, context, readLvmSettings(boot.words).settings),
  (boot, context, devices) => new LuksLayer(boot, context, readLuksSettings(boot.words).settings, devices),
];

/** All layers, with nothing begun yet. */
export function makeLayers(boot: Boot, context: StorageContext, devices: BlockDevices): StorageLayer[] {
  return LAYERS.map((make) => make(boot, context, devices));
}
