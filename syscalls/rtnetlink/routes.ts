/** Routes of the main table. linux/rtnetlink.h. */

import { View } from "../../src/lib/bytes.ts";
import { AF_INET, AF_INET6 } from "./addresses.ts";
import { NLM_F_CREATE_OR_REPLACE, type Rtnetlink } from "./conversation.ts";
import { joined, numberOf, packAttribute, packNumber, parseAttributes, valueOf } from "./messages.ts";

/** A route of the main table. */
export interface LinkRoute {
  readonly family: 4 | 6;
  /** The index of the link that it leads over; undefined for one over several. */
  readonly link: number | undefined;
  /** Where it leads; undefined for the default route. */
  readonly destination: Uint8Array | undefined;
  readonly prefix: number;
  readonly gateway: Uint8Array | undefined;
  /** Who set it, RTPROT_*: the kernel itself as it got an address, say. */
  readonly origin: "kernel" | "other";
  /** As the kernel describes it and takes it back: struct rtmsg and its attributes. */
  readonly message: Uint8Array;
}

/** A route to be set. */
export interface NewRoute {
  /** Undefined: whichever leads to the gateway. */
  readonly link: number | undefined;
  /** The network, 4 or 16 bytes; undefined for the default route. */
  readonly destination?: Uint8Array | undefined;
  readonly prefix: number;
  /** Without one, the network is on the link itself. */
  readonly gateway?: Uint8Array | undefined;
  /** The gateway is on the link, whatever the addresses say. */
  readonly isOnLink?: boolean | undefined;
  /** Of routes to the same place the one with the lowest metric counts. */
  readonly metric?: number | undefined;
  /** Who says so: what takes the network over may go by it. */
  readonly origin: "static" | "dhcp";
}

/** All routes of the main table that lead somewhere, both families. @throws SysError */
export function readRoutes(kernel: Rtnetlink): LinkRoute[] {
  return kernel
    .dump(RTM_GETROUTE, RTM_NEWROUTE, new Uint8Array(ROUTE_BYTES))
    .flatMap((body) => parseRoute(body) ?? []);
}

/** Reads a message about a route; undefined for what is none, or of another table or kind. Never throws. */
export function parseRoute(body: Uint8Array): LinkRoute | undefined {
  if (body.length < ROUTE_BYTES) return undefined;
  const view = new View(body);
  const family = view.u8(0);
  const attributes = parseAttributes(body, ROUTE_BYTES);
  const table = numberOf(attributes, RTA_TABLE) ?? view.u8(4);
  const isCached = (view.u32(8) & RTM_F_CLONED) !== 0;
  if ((family !== AF_INET && family !== AF_INET6) || table !== RT_TABLE_MAIN || isCached) return undefined;
  if (view.u8(7) !== RTN_UNICAST) return undefined;
  return {
    family: family === AF_INET ? 4 : 6,
    link: numberOf(attributes, RTA_OIF),
    destination: valueOf(attributes, RTA_DST),
    prefix: view.u8(1),
    gateway: valueOf(attributes, RTA_GATEWAY),
    origin: view.u8(5) === RTPROT_KERNEL ? "kernel" : "other",
    message: body,
  };
}

/** Sets a route, in place of one to the same place with the same metric. @throws SysError; ENETUNREACH when nothing leads to its gateway */
export function addRoute(kernel: Rtnetlink, route: NewRoute): void {
  const { link, destination, prefix, gateway, isOnLink, metric, origin } = route;
  const header = new DataView(new ArrayBuffer(ROUTE_BYTES));
  const isIPv4 = (destination ?? gateway)?.length === 4;
  header.setUint8(0, isIPv4 ? AF_INET : AF_INET6);
  header.setUint8(1, destination === undefined ? 0 : prefix);
  header.setUint8(4, RT_TABLE_MAIN);
  header.setUint8(5, origin === "dhcp" ? RTPROT_DHCP : RTPROT_STATIC);
  header.setUint8(6, gateway === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
  header.setUint8(7, RTN_UNICAST);
  header.setUint32(8, isOnLink === true ? RTNH_F_ONLINK : 0, true);
  const body = joined([
    new Uint8Array(header.buffer),
    ...(destination === undefined ? [] : [packAttribute(RTA_DST, destination)]),
    ...(gateway === undefined ? [] : [packAttribute(RTA_GATEWAY, gateway)]),
    ...(link === undefined ? [] : [packNumber(RTA_OIF, link)]),
    ...(metric === undefined ? [] : [packNumber(RTA_PRIORITY, metric)]),
  ]);
  kernel.change(RTM_NEWROUTE, body, NLM_F_CREATE_OR_REPLACE);
}

/** @throws SysError; ESRCH when it is gone */
export function removeRoute(kernel: Rtnetlink, { message }: LinkRoute): void {
  kernel.change(RTM_DELROUTE, message);
}

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const ROUTE_BYTES = 12;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_TABLE = 15;
const RTM_F_CLONED = 0x200;
const RTNH_F_ONLINK = 4;
const RTN_UNICAST = 1;
const RTPROT_KERNEL = 2;
const RTPROT_STATIC = 4;
const RTPROT_DHCP = 16;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RT_TABLE_MAIN = 254;
