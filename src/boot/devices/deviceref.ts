/**
 * What the user wrote to name a block device, as a value.
 *
 * Follows the kernel's block/early-lookup.c (PARTUUID, PARTLABEL, numbers), fstab(5) and mount(8)
 * (LABEL, UUID) and the links that udev keeps below /dev/disk.
 */

import { text } from "../../lib/bytes.ts";

/** Tags that a probe finds on the device itself or in its partition table. */
export type Tag = "UUID" | "LABEL" | "PARTUUID" | "PARTLABEL";

export type DeviceRef =
  | { readonly kind: "tag"; readonly tag: Tag; readonly value: string; readonly partitionOffset: number }
  /** A path below /dev, without the /dev/: "vda1", "mapper/vg-root", "disk/by-id/…". */
  | { readonly kind: "path"; readonly name: string }
  /** "major:minor" */
  | { readonly kind: "number"; readonly rdev: string };

/**
 * Reads a device as `root=` and fstab(5) name it. Returns a sentence when it is none.
 *
 * Links by tag (/dev/disk/by-uuid and its like) become tags: no link has to exist for them.
 */
export function parseDeviceRef(written: string): DeviceRef | string {
  const tagged = /^(UUID|LABEL|PARTUUID|PARTLABEL)=([^]*)$/i.exec(written);
  if (tagged !== null) return tagRef(tagged[1]?.toUpperCase() as Tag, unquote(tagged[2] ?? ""));
  // As in fstab(5): what udev knows a disk by.
  const id = /^ID=([^/]+)$/.exec(written)?.[1];
  if (id !== undefined) return pathRef(`disk/by-id/${unquote(id)}`);
  if (/^\d+:\d+$/.test(written)) return { kind: "number", rdev: written };
  const hex = /^(?:0x)?([0-9a-f]{3,8})$/i.exec(written);
  if (hex !== null) return numberRef(parseInt(hex[1] ?? "", 16));
  if (!written.startsWith("/dev/"))
    return `${text(written)} is neither a path below /dev nor LABEL=, UUID=, PARTUUID= or PARTLABEL=.`;
  return pathRef(written.slice("/dev/".length));
}

/** A reference as people read it. */
export function describeRef(ref: DeviceRef): string {
  switch (ref.kind) {
    case "tag":
      return `${ref.tag}=${text(ref.value)}${ref.partitionOffset === 0 ? "" : `/PARTNROFF=${ref.partitionOffset}`}`;
    case "path":
      return `/dev/${text(ref.name)}`;
    case "number":
      return `device ${ref.rdev}`;
  }
}

function tagRef(tag: Tag, value: string): DeviceRef | string {
  if (value === "") return `${tag}= names nothing.`;
  if (tag !== "PARTUUID") return { kind: "tag", tag, value, partitionOffset: 0 };
  const offset = /^([^/]*)\/PARTNROFF=(-?\d{1,4})$/i.exec(value);
  if (offset !== null)
    return { kind: "tag", tag, value: offset[1] ?? "", partitionOffset: Number(offset[2]) };
  if (value.includes("/"))
    return `PARTUUID=${text(value)} is no PARTUUID: only /PARTNROFF=N may follow the UUID.`;
  return { kind: "tag", tag, value, partitionOffset: 0 };
}

// The kernel's old spelling: major and minor as one hexadecimal number (new_decode_dev()).
function numberRef(packed: number): DeviceRef {
  const major = (packed & 0xfff00) >>> 8;
  const minor = (packed & 0xff) | ((packed >>> 12) & 0xfff00);
  return { kind: "number", rdev: `${major}:${minor}` };
}

const linkTags: Readonly<Record<string, Tag>> = {
  "by-uuid": "UUID",
  "by-label": "LABEL",
  "by-partuuid": "PARTUUID",
  "by-partlabel": "PARTLABEL",
};

function pathRef(path: string): DeviceRef | string {
  const name = path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
  if (name === "" || name.split("/").includes("..")) return `/dev/${text(path)} names no device.`;
  const link = /^disk\/(by-[a-z]+)\/([^/]+)$/.exec(name);
  const tag = link === null ? undefined : linkTags[link[1] ?? ""];
  if (tag === undefined || link === null) return { kind: "path", name };
  return { kind: "tag", tag, value: unescapeLink(link[2] ?? ""), partitionOffset: 0 };
}

/** A name as udev's links have it, with what does not suit a file name as \xNN, as it is on the disk. */
export function unescapeLink(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function unquote(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}
