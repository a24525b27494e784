/** The machine's links as the plan of the network takes them (src/network/plan.ts). */

import type { Syscalls } from "../../../syscalls/index.ts";
import type { Link } from "../../../syscalls/rtnetlink/index.ts";
import type { PresentLink } from "../../network/find-link.ts";
import { INFINIBAND, namesOfCard } from "./card-names.ts";

export type KnownLink = Link & PresentLink;

/** All but the loopback; with `sys` the names that cards have in the real system as well. */
export function presentLinks(links: readonly Link[], sys?: Syscalls): KnownLink[] {
  return links
    .filter(({ type }) => type !== "loopback")
    .map((link) => ({
      ...link,
      isEthernet: link.type === "ethernet" || link.type === INFINIBAND,
      isVirtual: link.kind !== "",
      otherNames: sys === undefined || link.kind !== "" ? [] : namesOfCard(sys, link),
    }));
}
