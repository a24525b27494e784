/** How an overlay over the root is laid out: no system call is made here. */

import { livePlaces } from "./places.ts";
import { mapOverlayPaths } from "../mount/overlay-options.ts";

/** The directories that the kernel makes an overlay of (kernel, filesystems/overlayfs.rst). */
export interface OverlayLayers {
  /** Read-only ones, the uppermost first. */
  readonly lower: readonly string[];
  readonly upper: string;
  /** On the same filesystem as `upper`; the kernel's own. */
  readonly work: string;
}

/** Two directories of an overlay that can be written to. */
export interface Writable {
  readonly upper: string;
  readonly work: string;
}

/** The overlay in memory, in the tmpfs that is mounted for it. */
export const inMemory: Writable = {
  upper: `${livePlaces.overlayMemory}/upper`,
  work: `${livePlaces.overlayMemory}/work`,
};

/** The overlay in an image file, as dracut has it. */
export const inImage: Writable = {
  upper: `${livePlaces.overlayImage}/overlayfs`,
  work: `${livePlaces.overlayImage}/ovlwork`,
};

/** The overlay in a directory of a disk, as dracut has it: the other one stands beside it. */
export function inDirectory(path: string): Writable {
  return { upper: path, work: `${path.replace(/\/[^/]*$/, "")}/ovlwork` };
}

/**
 * The layers from top to bottom.
 * @param kept an overlay on a disk that stays as it is; undefined where there is none
 */
export function stackLayers(writable: Writable, kept: string | undefined): OverlayLayers {
  const lower = kept === undefined ? [livePlaces.base] : [kept, livePlaces.base];
  return { lower, ...writable };
}

/** The options for mount(2), with what the kernel would take for an end of a path escaped. */
export function overlayOptions({ lower, upper, work }: OverlayLayers): string {
  const paths = new Map([...lower.map((path, at) => [`l${at}`, path] as const), ["u", upper], ["w", work]]);
  const pattern = `lowerdir=${lower.map((_, at) => `l${at}`).join(":")},upperdir=u,workdir=w`;
  return mapOverlayPaths(pattern, (name) => paths.get(name) ?? name);
}

/** What rd.live.overlay.size=, or the size= of a tmpfs(5), comes to, for people. */
export function describeLimit(size: string): string {
  const [, number = "", unit = ""] = /^(\d+)([kmgt]?)$/i.exec(size) ?? [];
  if (number === "") return `at most ${size} of it`;
  const units: Readonly<Record<string, string>> = { "": "bytes", k: "KiB", m: "MiB", g: "GiB", t: "TiB" };
  return `at most ${number} ${units[unit.toLowerCase()]}`;
}

/**
 * Where an overlay lies on its disk when nobody says: named after the device that holds the root, so that one disk
 * can keep those of many (dracut.cmdline(7), rd.live.overlay).
 * @param directory rd.live.dir=
 */
export function defaultPlace(directory: string, label: string | undefined, uuid: string | undefined): string {
  const name = `overlay-${label ?? ""}-${uuid ?? ""}`.replaceAll("/", "_");
  return directory === "" ? name : `${directory}/${name}`;
}
