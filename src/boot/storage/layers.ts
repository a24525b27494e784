/** The layers of storage that process 1 knows. */

import type { Boot } from "../context.ts";
import type { StorageContext, StorageLayer } from "./layer.ts";

/** What stands here is built for each try of the boot. A new layer is a new row. */
const LAYERS: readonly ((boot: Boot, context: StorageContext) => StorageLayer)[] = [];

/** All layers, with nothing begun yet. */
export function makeLayers(boot: Boot, context: StorageContext): StorageLayer[] {
  return LAYERS.map((make) => make(boot, context));
}
