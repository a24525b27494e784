/** The kernel modules and tools of an image, by what was asked for: this machine's, all, or exactly these. */

import type { ChosenKernel } from "./kernel-choice.ts";
import type { Part } from "./part.ts";
import type { RootTree } from "./root-tree.ts";
import type { ImageSettings } from "./settings.ts";

/** What was selected. */
export interface Selected {
  readonly parts: readonly Part[];
  /** Sentences for `--verbose`. */
  readonly decisions: readonly string[];
}

/**
 * Selects what goes in.
 * @throws UserError for drivers and tools that do not exist, and when the needs of this machine can't be told
 */
export function selectParts(
  settings: ImageSettings,
  root: RootTree,
  kernel: ChosenKernel | undefined,
): Selected {
  const drivers: Part = { why: "--drivers", modules: settings.drivers };
  return { parts: kernel && settings.selection === "drivers" ? [drivers] : [], decisions: [] };
}
