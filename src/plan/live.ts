/** What /init would do about live images and overlays over the root, as sentences for `rdinit plan`. */

import type { Word } from "../boot/cmdline/cmdline.ts";
import { newRoot } from "../boot/context.ts";
import { describeRef } from "../boot/devices/deviceref.ts";
import { defaultPlace, describeLimit } from "../boot/live/overlay-plan.ts";
import { readLiveSettings, wantsOverlay } from "../boot/live/settings.ts";
import { text } from "../lib/bytes.ts";

/** How the root of a live system is mounted. */
export function describeLive(words: readonly Word[]): string[] {
  const { directory, image, toMemory } = readLiveSettings(words).settings;
  const place = text(directory === "" ? image : `${directory}/${image}`);
  return [
    `Take it as the image of the root, if it is a squashfs or erofs; or else the file ${place} on it.`,
    ...(toMemory ? ["Copy the image to memory, and let go of the device."] : []),
    `Mount the image on ${newRoot}, read-only.`,
  ];
}

/** What lies over the root. */
export function describeOverlay(words: readonly Word[]): string[] {
  const { settings } = readLiveSettings(words);
  if (!wantsOverlay(settings)) return [];
  const { disk, size, reset, readOnly, mayBeLost } = settings.overlay;
  const memory = `changes are kept in memory (${describeLimit(size)}) and lost when the machine goes off`;
  if (disk === undefined) return [`Cover it with an overlay: ${memory}.`];
  const name = defaultPlace(settings.directory, "LABEL", "UUID");
  const where = `${describeRef(disk.device)}, in ${disk.path === undefined ? `${text(name)} of the root's device` : text(disk.path)}`;
  const otherwise = mayBeLost ? "; or in memory, if that can't be had" : "";
  if (readOnly) return [`Cover it with the overlay on ${where}, which stays as it is; further ${memory}.`];
  const first = reset ? " that is emptied first" : "";
  return [`Cover it with an overlay${first}: changes are kept on ${where}${otherwise}.`];
}

/** What comes before the search for the root. */
export function describeIso(words: readonly Word[]): string[] {
  const { iso } = readLiveSettings(words).settings;
  return iso === undefined
    ? []
    : [`Look on all filesystems for the file ${text(iso)}, and take it as a disc.`];
}
