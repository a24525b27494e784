/** What the kernel passes on of routers' advertisements, as it makes no use of it itself: struct nduseroptmsg. */

import { View } from "../../src/lib/bytes.ts";
import { parseMessages } from "./messages.ts";

/** Options of one advertisement: as they were sent (RFC 4861 section 4.6), one behind the other. */
export interface RouterOptions {
  /** The index of the link that it came by. */
  readonly link: number;
  readonly options: Uint8Array;
}

/** Those in an announcement of the kernel's; what is of something else, or cut short, is passed over. Never throws. */
export function parseRouterOptions(datagram: Uint8Array): RouterOptions[] {
  return parseMessages(datagram).flatMap(({ type, body }) => {
    const view = new View(body);
    if (type !== RTM_NEWNDUSEROPT || view.length < HEADER_BYTES) return [];
    const length = view.u16(2);
    const isOfRouter = view.u8(0) === AF_INET6 && view.u8(8) === ROUTER_ADVERTISEMENT;
    if (!isOfRouter || HEADER_BYTES + length > view.length) return [];
    return [{ link: view.u32(4), options: view.slice(HEADER_BYTES, length) }];
  });
}

// Of linux/rtnetlink.h, struct nduseroptmsg, and linux/icmpv6.h.
const RTM_NEWNDUSEROPT = 68;
const HEADER_BYTES = 16;
const AF_INET6 = 10;
const ROUTER_ADVERTISEMENT = 134;
