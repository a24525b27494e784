/**
 * The parameters of live images and of overlays over the root: dracut.cmdline(7). The names rd.overlay… are those of
 * newer releases of dracut, rd.live.overlay… those of all.
 */

import { text } from "../../lib/bytes.ts";
import { type Word, sameName } from "../cmdline/cmdline.ts";
import { switchValue } from "../cmdline/switch-word.ts";
import type { DeviceRef } from "../devices/deviceref.ts";
import { plainPath, readDisk, readOverlay, withOverlay } from "./overlay-words.ts";

export interface LiveSettings {
  /** root= names a device that holds an image of the root, or is one. */
  readonly live: boolean;
  /** Where the image lies on it, paths on the device. */
  readonly directory: string;
  readonly image: string;
  /** The image of a disc that lies as a file on some filesystem, and is to be found first: a path there. */
  readonly iso: string | undefined;
  /** Whether the image is copied to memory. */
  readonly toMemory: boolean;
  readonly overlay: OverlaySettings;
}

export interface OverlaySettings {
  /** Undefined where nothing is said: a live image has one, another root none. */
  readonly wanted: boolean | undefined;
  /** Where changes are kept; undefined is in memory. */
  readonly disk: OverlayDisk | undefined;
  /** How much memory it may take, as tmpfs(5) has it: "512m", "50%". */
  readonly size: string;
  /** Its other limits, options of tmpfs(5). */
  readonly limits: readonly string[];
  /** Empty the overlay on the disk first. */
  readonly reset: boolean;
  /** Show the overlay on the disk, and keep changes to it in memory. */
  readonly readOnly: boolean;
  /** Go on with an overlay in memory when the one on the disk can't be had. */
  readonly mayBeLost: boolean;
}

export interface OverlayDisk {
  readonly device: DeviceRef;
  /** The directory, or the image file, on it; undefined is the one that is named after the root's device. */
  readonly path: string | undefined;
}

interface Parameter {
  readonly name: string;
  readonly usage: string;
  readonly meaning: string;
  /** Adds a value to the settings; a sentence when it makes no sense. */
  readonly read: (value: string, settings: LiveSettings) => LiveSettings | string;
}

/** Every parameter, in the order of the manual. */
export const liveParameters: readonly Parameter[] = [
  {
    name: "root",
    usage: "root=live:DEVICE",
    meaning:
      "the root is a squashfs or erofs in a file on DEVICE, or DEVICE itself is one; CDLABEL= is the LABEL= of a disc",
    read: (value, settings) => ({ ...settings, live: settings.live || isLive(value) }),
  },
  {
    name: "rd.live.image",
    usage: "rd.live.image=0|1",
    meaning: "the same without live: in front of the device",
    read: readSwitch((settings, live) => ({ ...settings, live })),
  },
  {
    name: "rd.live.dir",
    usage: "rd.live.dir=PATH",
    meaning: "the directory on DEVICE that holds the image (default LiveOS)",
    read: readPath("directory"),
  },
  {
    name: "rd.live.squashimg",
    usage: "rd.live.squashimg=NAME",
    meaning: "the name of the image in it (default squashfs.img)",
    read: readPath("image"),
  },
  {
    name: "iso-scan/filename",
    usage: "iso-scan/filename=PATH",
    meaning:
      "look on all filesystems for this file, the image of a disc, and take it as a disc that root=live:CDLABEL= can name",
    read: readPath("iso"),
  },
  {
    name: "rd.live.ram",
    usage: "rd.live.ram=0|1",
    meaning: "copy the image to memory, so that its device may be taken away (default 0)",
    read: readSwitch((settings, toMemory) => ({ ...settings, toMemory })),
  },
  {
    name: "rd.overlay",
    usage: "rd.overlay=0|1|DEVICE[:PATH]",
    meaning:
      "cover the root, which stays as it is, with an overlay that takes all changes: in memory, or on DEVICE in the " +
      "directory or image file PATH (default 1 for live images, 0 for other roots)",
    read: readOverlay,
  },
  {
    name: "rd.overlay",
    usage: "rd.overlay=tmpfs[:size=SIZE][,nr_inodes=COUNT]",
    meaning:
      "the same as 1, with these limits: a size of bytes, 512M, 4G or 25% of the memory, and so many files",
    read: readOverlay,
  },
  {
    name: "rd.live.overlay",
    usage: "rd.live.overlay=DEVICE[:PATH]|none",
    meaning: "the same by its older name; none is 0",
    read: (value, settings) =>
      value.toLowerCase() === "none" ? withOverlay(settings, { wanted: false }) : readDisk(value, settings),
  },
  ...["rd.live.overlay.overlayfs", "rd.overlayfs"].map((name) => ({
    name,
    usage: `${name}=1`,
    meaning: "the same as rd.overlay=1; there is no other kind of overlay here",
    read: (value: string, settings: LiveSettings) =>
      switchValue(value) === true
        ? withOverlay(settings, { wanted: true })
        : "there is no other kind of overlay here; rd.overlay=0 does without one.",
  })),
  {
    name: "rd.live.overlay.size",
    usage: "rd.live.overlay.size=MIB|PERCENT%",
    meaning: "how much memory an overlay may take (default 50%)",
    read: (value, settings) => {
      if (/^[1-9]\d{0,7}$/.test(value)) return withOverlay(settings, { size: `${value}m` });
      if (/^(?:[1-9]\d?|100)%$/.test(value)) return withOverlay(settings, { size: value });
      return "it is neither a number of MiB nor a percentage of the memory.";
    },
  },
  ...["rd.overlay.reset", "rd.live.overlay.reset"].map((name) => ({
    name,
    usage: `${name}=0|1`,
    meaning: "empty the overlay on a disk first: all changes are lost (default 0)",
    read: readSwitch((settings, reset) => withOverlay(settings, { reset })),
  })),
  ...["rd.overlay.readonly", "rd.live.overlay.readonly"].map((name) => ({
    name,
    usage: `${name}=0|1`,
    meaning: "leave the overlay on a disk as it is, and take further changes in memory (default 0)",
    read: readSwitch((settings, readOnly) => withOverlay(settings, { readOnly })),
  })),
  {
    name: "rd.live.overlay.nouserconfirmprompt",
    usage: "rd.live.overlay.nouserconfirmprompt=0|1",
    meaning:
      "when the overlay on a disk can't be had, warn and take changes in memory, instead of stopping (default 0)",
    read: readSwitch((settings, mayBeLost) => withOverlay(settings, { mayBeLost })),
  },
];

/** What the words say, and a sentence for each that could not be used. The last of those that contradict counts. */
export function readLiveSettings(words: readonly Word[]): {
  settings: LiveSettings;
  complaints: string[];
} {
  let settings = defaults;
  const complaints: string[] = [];
  for (const { name, value } of words) {
    const parameter = liveParameters.find(
      (known) => sameName(known.name, name) || (known.name === "root" && sameName("rd.root", name)),
    );
    if (parameter === undefined) continue;
    // A bare switch turns on, as everywhere.
    const result = parameter.read(value ?? (/=[01]\|?/.test(parameter.usage) ? "1" : ""), settings);
    if (typeof result !== "string") settings = result;
    else
      complaints.push(
        `${text(value === undefined ? name : `${name}=${value}`)} is ignored: ${result} Usage: ${parameter.usage}.`,
      );
  }
  return { settings, complaints };
}

/** True when the root is to be covered by an overlay. */
export function wantsOverlay({ live, overlay }: LiveSettings): boolean {
  return overlay.wanted ?? live;
}

const defaults: LiveSettings = {
  live: false,
  directory: "LiveOS",
  image: "squashfs.img",
  iso: undefined,
  toMemory: false,
  overlay: {
    wanted: undefined,
    disk: undefined,
    size: "50%",
    limits: [],
    reset: false,
    readOnly: false,
    mayBeLost: false,
  },
};

function isLive(root: string): boolean {
  return /^(?:live:|CDLABEL=)/i.test(root);
}

function readSwitch(set: (settings: LiveSettings, on: boolean) => LiveSettings): Parameter["read"] {
  return (value, settings) => {
    const on = switchValue(value);
    return on === undefined ? "it is neither 0 nor 1." : set(settings, on);
  };
}

function readPath(key: "directory" | "image" | "iso"): Parameter["read"] {
  return (value, settings) => {
    const path = plainPath(value);
    if (path === undefined || (path === "" && key !== "directory")) return "it is no path on the device.";
    return { ...settings, [key]: path };
  };
}
