/** Whether an image has the drivers of a live root and of an overlay, where its parameters ask for them. */

import type { Word } from "../boot/cmdline/cmdline.ts";
import { readLiveSettings, wantsOverlay } from "../boot/live/settings.ts";
import type { ModuleIndex } from "../modules/index.ts";
import { error, type Finding } from "./finding.ts";

/** @param modules those of the image; undefined when it has none, and the kernel must have all built in */
export function checkLive(words: readonly Word[], modules: ModuleIndex | undefined): Finding[] {
  if (modules === undefined) return [];
  const { settings } = readLiveSettings(words);
  const lacks = (name: string): boolean => modules.module(name) === undefined && !modules.isBuiltin(name);
  const findings: Finding[] = [];
  if (settings.live && lacks("loop"))
    findings.push(error("A live root in a file needs the module loop, which is not in the image."));
  if (settings.live && lacks("squashfs") && lacks("erofs"))
    findings.push(error("A live root needs the module squashfs or erofs, and neither is in the image."));
  if (wantsOverlay(settings) && lacks("overlay"))
    findings.push(error("The overlay over the root needs the module overlay, which is not in the image."));
  return findings;
}
