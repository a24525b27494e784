/** The machine's links as the plan of the network takes them (src/network/plan.ts). */

import type { Link } from "../../../syscalls/rtnetlink/index.ts";
import type { PresentLink } from "../../network/find-link.ts";

export type KnownLink = Link & PresentLink;

/** All but the loopback. */
export function presentLinks(links: readonly Link[]): KnownLink[] {
  return links
    .filter(({ type }) => type !== "loopback")
    .map((link) => ({
      ...link,
      isEthernet: link.type === "ethernet" || link.type === INFINIBAND,
      isVirtual: link.kind !== "",
      otherNames: [],
    }));
}

/** ARPHRD_INFINIBAND */
const INFINIBAND = 32;
