/** Several wishes for one interface are one: an address of each family, say. */

import { familyOf } from "./address.ts";
import { sameLink } from "./link-names.ts";
import type { InterfaceWish } from "./types.ts";

/** One wish for each interface, in the order in which they are first named. Of what can be but one, the last counts. */
export function mergeWishes(wishes: readonly InterfaceWish[]): InterfaceWish[] {
  const merged: InterfaceWish[] = [];
  for (const wish of wishes) {
    const at = merged.findIndex(({ link }) => sameLink(link, wish.link));
    const before = merged[at];
    if (before === undefined) merged.push(wish);
    else merged[at] = join(before, wish);
  }
  return merged;
}

function join(a: InterfaceWish, b: InterfaceWish): InterfaceWish {
  const families = new Set(b.gateways.map(familyOf));
  return {
    link: a.link,
    methods: unique([...a.methods, ...b.methods]),
    isSingle: a.isSingle || b.isSingle,
    addresses: [
      ...a.addresses.filter((one) => b.addresses.every(({ address }) => address !== one.address)),
      ...b.addresses,
    ],
    gateways: [...a.gateways.filter((gateway) => !families.has(familyOf(gateway))), ...b.gateways],
    server: b.server ?? a.server,
    hostName: b.hostName ?? a.hostName,
    domain: b.domain ?? a.domain,
    nameservers: unique([...a.nameservers, ...b.nameservers]),
    ntpServers: unique([...a.ntpServers, ...b.ntpServers]),
    mtu: b.mtu ?? a.mtu,
    mac: b.mac ?? a.mac,
    clientId: b.clientId ?? a.clientId,
  };
}

function unique<T>(list: readonly T[]): T[] {
  return [...new Set(list)];
}
