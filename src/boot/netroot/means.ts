/** What roots elsewhere work with besides the boot itself. */

import type { BlockDevices } from "../devices/blockdevices.ts";
import type { Boot } from "../context.ts";
import type { Layers } from "../storage/layer.ts";

export interface NetMeans {
  readonly boot: Boot;
  readonly devices: BlockDevices;
  readonly layers: Layers;
  readonly loadModules: (names: readonly string[]) => Promise<void>;
}
