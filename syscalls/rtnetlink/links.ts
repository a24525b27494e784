/** Links: network interfaces, those of cards and those that are made. linux/if_link.h, net/if.h. */

import { View } from "../../src/lib/bytes.ts";
import { NLM_F_CREATE_NEW, type Rtnetlink } from "./conversation.ts";
import {
  joined,
  numberOf,
  packAttribute,
  packNested,
  packNumber,
  packShort,
  packString,
  parseAttributes,
  stringOf,
  valueOf,
} from "./messages.ts";

/** A network interface. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** "ethernet", "loopback", or the number of its type (linux/if_arp.h). */
  readonly type: "ethernet" | "loopback" | number;
  /** Its hardware address, lower case with colons; "" without one. */
  readonly mac: string;
  /** The address that the card was made with; "" where the driver does not say. */
  readonly permanentMac: string;
  readonly mtu: number;
  /** IFF_UP: somebody has switched it on. */
  readonly isUp: boolean;
  /** IFF_LOWER_UP: something answers at the other end. Always false while it is down. */
  readonly hasCarrier: boolean;
  /** It can carry data (RFC 2863): up, dormant for nothing, and what lies below it is up as well. */
  readonly isOperational: boolean;
  /** The index of the bond or bridge that it is a port of. */
  readonly master: number | undefined;
  /** What it was made as: "vlan", "bond", "bridge"; "" for a card. */
  readonly kind: string;
}

/** What a link becomes. */
export interface LinkChange {
  readonly isUp?: boolean;
  /** Only while it is down. */
  readonly name?: string;
  readonly mac?: string;
  readonly mtu?: number;
  /** The index of the bond or bridge that it becomes a port of; 0 makes it none. */
  readonly master?: number;
}

/** A link to be made. */
export type NewLink =
  | { readonly kind: "bond" | "bridge" | "dummy"; readonly name: string }
  | { readonly kind: "vlan"; readonly name: string; readonly id: number; readonly below: number };

/** All links. @throws SysError */
export function readLinks(kernel: Rtnetlink): Link[] {
  return kernel.dump(RTM_GETLINK, RTM_NEWLINK, linkHeader(0)).flatMap((body) => parseLink(body) ?? []);
}

/** Reads a message about a link; undefined for what is none. Never throws. */
export function parseLink(body: Uint8Array): Link | undefined {
  if (body.length < LINK_BYTES) return undefined;
  const view = new View(body);
  // Of the ports of a bridge there are messages of another family.
  if (view.u8(0) !== AF_UNSPEC) return undefined;
  const attributes = parseAttributes(body, LINK_BYTES);
  const flags = view.u32(8);
  const type = view.u16(2);
  const state = valueOf(attributes, IFLA_OPERSTATE)?.[0] ?? OPERSTATE_UNKNOWN;
  const isUp = (flags & IFF_UP) !== 0;
  const hasCarrier = (flags & IFF_LOWER_UP) !== 0;
  return {
    index: view.u32(4),
    name: stringOf(attributes, IFLA_IFNAME),
    type: type === ARPHRD_ETHER ? "ethernet" : type === ARPHRD_LOOPBACK ? "loopback" : type,
    mac: macText(valueOf(attributes, IFLA_ADDRESS)),
    permanentMac: macText(valueOf(attributes, IFLA_PERM_ADDRESS)),
    mtu: numberOf(attributes, IFLA_MTU) ?? 0,
    isUp,
    hasCarrier,
    // Drivers that know nothing of it, and the loopback, stay "unknown" for ever.
    isOperational:
      isUp &&
      (state === OPERSTATE_UP || state === OPERSTATE_DORMANT || (state === OPERSTATE_UNKNOWN && hasCarrier)),
    master: numberOf(attributes, IFLA_MASTER),
    kind: stringOf(parseAttributes(valueOf(attributes, IFLA_LINKINFO) ?? new Uint8Array()), IFLA_INFO_KIND),
  };
}

/** @throws SysError; ENODEV when it is gone */
export function changeLink(kernel: Rtnetlink, index: number, change: LinkChange): void {
  const { isUp, name, mac, mtu, master } = change;
  const flags = isUp === undefined ? { value: 0, mask: 0 } : { value: isUp ? IFF_UP : 0, mask: IFF_UP };
  const body = joined([
    linkHeader(index, flags),
    ...(name === undefined ? [] : [packString(IFLA_IFNAME, name)]),
    ...(mac === undefined ? [] : [packAttribute(IFLA_ADDRESS, macBytes(mac))]),
    ...(mtu === undefined ? [] : [packNumber(IFLA_MTU, mtu)]),
    ...(master === undefined ? [] : [packNumber(IFLA_MASTER, master)]),
  ]);
  kernel.change(RTM_NEWLINK, body);
}

/** @throws SysError; EEXIST when the name is taken, EOPNOTSUPP when no module for its kind is loaded */
export function addLink(kernel: Rtnetlink, link: NewLink): void {
  const data = link.kind === "vlan" ? [packNested(IFLA_INFO_DATA, [packShort(IFLA_VLAN_ID, link.id)])] : [];
  const body = joined([
    linkHeader(0),
    packString(IFLA_IFNAME, link.name),
    ...(link.kind === "vlan" ? [packNumber(IFLA_LINK, link.below)] : []),
    packNested(IFLA_LINKINFO, [packString(IFLA_INFO_KIND, link.kind), ...data]),
  ]);
  kernel.change(RTM_NEWLINK, body, NLM_F_CREATE_NEW);
}

/** Of links that were made. @throws SysError; EOPNOTSUPP for a card */
export function removeLink(kernel: Rtnetlink, index: number): void {
  kernel.change(RTM_DELLINK, linkHeader(index));
}

// struct ifinfomsg
function linkHeader(index: number, flags = { value: 0, mask: 0 }): Uint8Array {
  const view = new DataView(new ArrayBuffer(LINK_BYTES));
  view.setInt32(4, index, true);
  view.setUint32(8, flags.value, true);
  view.setUint32(12, flags.mask, true);
  return new Uint8Array(view.buffer);
}

function macText(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "";
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(":"), (pair) => Number.parseInt(pair, 16));
}

const AF_UNSPEC = 0;
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const LINK_BYTES = 16;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_OPERSTATE = 16;
const IFLA_LINKINFO = 18;
const IFLA_PERM_ADDRESS = 54;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_VLAN_ID = 1;
const IFF_UP = 1;
const IFF_LOWER_UP = 0x10000;
const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;
const OPERSTATE_UNKNOWN = 0;
const OPERSTATE_DORMANT = 5;
const OPERSTATE_UP = 6;
