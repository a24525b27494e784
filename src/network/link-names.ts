/** How interfaces are named: by the kernel's name, or by their hardware address. */

import type { LinkRef } from "./types.ts";

/** True for a name that the kernel takes: dev_valid_name() of net/core/dev.c, and no % besides, which is a pattern. */
export function isLinkName(name: string): boolean {
  return name.length > 0 && name.length < 16 && name !== "." && name !== ".." && !/[/:%\s\0]/.test(name);
}

/** The MAC address in its one spelling, of Ethernet or of InfiniBand; undefined when it is none. */
export function normalMac(source: string): string | undefined {
  const mac = source.toLowerCase().replaceAll("-", ":");
  return /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?:(?::[0-9a-f]{2}){14})?$/.test(mac) ? mac : undefined;
}

/** The interface that a text names; undefined when it can't be the name of one. */
export function parseLink(source: string): LinkRef | undefined {
  const mac = normalMac(source);
  if (mac !== undefined) return { by: "mac", mac };
  return isLinkName(source) ? { by: "name", name: source } : undefined;
}

/** The address in BOOTIF=, which a boot loader writes with the type of the hardware in front: 01-52-54-00-12-34-56. */
export function parseBootif(source: string): string | undefined {
  return normalMac(source) ?? normalMac(source.replace(/^[0-9a-f]{2}[-:]/i, ""));
}

/** The MAC address within a name such as enx525400123456, which udev would give (systemd.net-naming-scheme(7)). */
export function macInName(name: string): string | undefined {
  const digits = /^(?:en|wl|ww)x([0-9a-f]{12})$/.exec(name)?.[1];
  return digits?.replace(/(..)(?!$)/g, "$1:");
}

export function sameLink(a: LinkRef | undefined, b: LinkRef | undefined): boolean {
  return showLink(a) === showLink(b);
}

/** The name or the address, as a byte string. */
export function showLink(link: LinkRef | undefined): string {
  if (link === undefined) return "";
  return link.by === "name" ? link.name : link.mac;
}
