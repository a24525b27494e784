/** What the words about overlays mean: where changes are kept, and how much of them (dracut.cmdline(7)). */

import { text } from "../../lib/bytes.ts";
import { parseDeviceRef } from "../devices/deviceref.ts";
import { switchValue } from "../cmdline/switch-word.ts";
import type { LiveSettings, OverlaySettings } from "./settings.ts";

/** The value of rd.overlay=: on, off, a tmpfs with limits, or a device. A sentence when it makes no sense. */
export function readOverlay(value: string, settings: LiveSettings): LiveSettings | string {
  const memory = /^tmpfs(?::([^]*))?$/.exec(value);
  if (memory !== null) return readLimits(memory[1] ?? "", settings);
  const on = switchValue(value);
  return on === undefined ? readDisk(value, settings) : withOverlay(settings, { wanted: on });
}

/** `DEVICE[:PATH]`; a device by its numbers has a colon of its own. */
export function readDisk(value: string, settings: LiveSettings): LiveSettings | string {
  const [, device = "", place = ""] = /^(\d+:\d+|[^:]*)(?::([^]*))?$/.exec(value) ?? [];
  const ref = parseDeviceRef(withoutLive(device));
  if (typeof ref === "string") return ref;
  const path = place === "" || place === "auto" ? undefined : plainPath(place);
  if (path === "" || (path === undefined && place !== "" && place !== "auto"))
    return `${text(place)} is no path on a device.`;
  return withOverlay(settings, { wanted: true, disk: { device: ref, path } });
}

/** The settings with this change of what they say of the overlay. */
export function withOverlay(settings: LiveSettings, change: Partial<OverlaySettings>): LiveSettings {
  return { ...settings, overlay: { ...settings.overlay, ...change } };
}

/** What root= says without what live images have in front, and dracut: "live:CDLABEL=x" is the device LABEL=x. */
export function withoutLive(root: string): string {
  return root.replace(/^(?:live|block):/i, "").replace(/^CDLABEL=/i, "LABEL=");
}

/** A path without what does not count; undefined when it leads out of the device. */
export function plainPath(path: string): string | undefined {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") ? undefined : parts.join("/");
}

// Options of tmpfs(5) that limit how much it takes.
function readLimits(written: string, settings: LiveSettings): LiveSettings | string {
  let { size } = settings.overlay;
  const limits: string[] = [];
  for (const option of written.split(",").filter((one) => one !== "")) {
    const [, value] = /^size=([1-9]\d{0,17}[kmgt]?|(?:[1-9]\d?|100)%)$/i.exec(option) ?? [];
    if (value !== undefined) size = value;
    else if (/^nr_(?:inodes|blocks)=[1-9]\d{0,17}[kmgt]?$/i.test(option)) limits.push(option);
    else return `${text(option)} is neither size= nor nr_inodes= nor nr_blocks= of a tmpfs.`;
  }
  return withOverlay(settings, { wanted: true, disk: undefined, size, limits });
}
