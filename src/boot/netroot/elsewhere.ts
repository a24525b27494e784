/** A boot that failed, and the root elsewhere that it may have failed at: what it has of the network, and may get. */

import type { Boot } from "../context.ts";
import type { Elsewhere } from "../rescue/emergency.ts";
import { describeNetRoot } from "./forms.ts";
import { reasonForNetwork } from "./netroot.ts";
import { readNetRootSettings } from "./settings.ts";

/** What it looks at (boot/network/network.ts). */
export interface NetworkView {
  readonly report: () => readonly string[];
  readonly assets: () => readonly string[];
  /** Resolves at the next change of them. */
  readonly changed: () => Promise<void>;
}

/** To be called when the boot has failed: what comes later is what it has gained. */
export function lookElsewhere(
  { words, options }: Pick<Boot, "words" | "options">,
  network: NetworkView,
): Elsewhere {
  const { settings } = readNetRootSettings(words);
  const reason = reasonForNetwork(settings, options.rootFlags);
  const share = settings.root === undefined ? undefined : `root=${describeNetRoot(settings.root)}`;
  let before = new Set(network.assets());
  return {
    root: reason ?? share,
    byNetwork: reason !== undefined,
    interfaces: network.report(),
    async gained(signal) {
      for (;;) {
        const changed = network.changed();
        const now = network.assets();
        const gain = now.find((one) => !before.has(one));
        if (gain !== undefined) return gain;
        // What is lost and comes again is gained as well.
        before = new Set(now);
        await changed;
        if (signal.aborted) return "";
      }
    },
  };
}
