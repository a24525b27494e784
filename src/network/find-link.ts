/** Which of the machine's links a person means. */

import { macInName } from "./link-names.ts";
import type { LinkRef, NameWish } from "./types.ts";

/** A link that is there, as far as a plan needs to know it. */
export interface PresentLink {
  readonly name: string;
  /** As normalMac() of link-names.ts writes it; "" without one. */
  readonly mac: string;
  /** The address that the card was made with; "" when nobody knows. */
  readonly permanentMac: string;
  /** A card for Ethernet, or what looks like one: WLAN and tunnels are none. */
  readonly isEthernet: boolean;
  /** Made by a program: bond, bridge, VLAN, veth … */
  readonly isVirtual: boolean;
  readonly hasCarrier: boolean;
  /** What udev would call it in the real system: enp0s3, eno1 (predictable-names.ts). */
  readonly otherNames: readonly string[];
}

/**
 * The link that is meant: by the name that it has, or gets by ifname=, then by one that udev would give it, then by its
 * MAC address. Bonds and VLANs share the address of a card, which is meant before them.
 */
export function findLink<L extends PresentLink>(
  ref: LinkRef,
  links: readonly L[],
  names: readonly NameWish[],
): L | undefined {
  if (ref.by === "mac") return byMac(ref.mac, links);
  const named = links.find(({ name }) => name === ref.name);
  if (named !== undefined) return named;
  const mac = names.find(({ name }) => name === ref.name)?.mac ?? macInName(ref.name);
  const holder = mac === undefined ? undefined : byMac(mac, links);
  return holder ?? links.find(({ otherNames }) => otherNames.includes(ref.name));
}

function byMac<L extends PresentLink>(mac: string, links: readonly L[]): L | undefined {
  const cards = links.filter(({ isVirtual }) => !isVirtual);
  return (
    cards.find(({ permanentMac }) => permanentMac === mac) ??
    cards.find((link) => link.mac === mac) ??
    links.find((link) => link.mac === mac)
  );
}
