/** Which routes go with addresses and gateways, in an order in which the kernel takes them. */

import { familyOf, fullPrefix, networkOf } from "./address.ts";
import type { Family, Lease, Route } from "./types.ts";

/** An address with its prefix: what is in it is on the link. */
export interface OnLink {
  readonly address: string;
  readonly prefix: number;
  /** The other end of a link of two, which alone is on the link then. */
  readonly peer?: string | undefined;
}

/**
 * The routes of an interface: those to what is on the link, then all that have a gateway, then the default ones, one of
 * each family. The kernel takes a gateway only when it can be reached, so one that no address covers gets a route of its
 * own, as clouds give addresses with a prefix of 32.
 */
export function planRoutes(
  addresses: readonly OnLink[],
  gateways: readonly string[],
  routes: readonly Route[],
): Route[] {
  const direct = routes.filter(({ gateway }) => gateway === undefined);
  const defaults = ([4, 6] as const).flatMap((family) => {
    const gateway = gateways.find((one) => familyOf(one) === family);
    const hasOne = routes.some((route) => route.family === family && route.prefix === 0);
    return gateway === undefined || hasOne ? [] : [defaultRoute(family, gateway)];
  });
  const indirect = [...routes.filter(({ gateway }) => gateway !== undefined), ...defaults];
  const reached = (gateway: string): boolean =>
    isLinkLocal(gateway) ||
    addresses.some(({ address, prefix, peer }) => covers(peer ?? address, prefix, gateway)) ||
    direct.some(({ destination, prefix }) => prefix > 0 && covers(destination, prefix, gateway));
  const bridges = new Map<string, Route>();
  for (const { family, gateway } of indirect)
    if (gateway !== undefined && !reached(gateway))
      bridges.set(gateway, { family, destination: gateway, prefix: fullPrefix(family), gateway: undefined });
  return [
    ...bridges.values(),
    ...direct,
    ...indirect.filter((one) => !isDefault(one)),
    ...indirect.filter(isDefault),
  ];
}

/** The routes of a lease. `hasDefault` is false for all interfaces but one: two default routes would fight. */
export function leaseRoutes(lease: Lease, hasDefault = true): Route[] {
  const routes = planRoutes([lease], lease.routers, lease.routes);
  return hasDefault ? routes : routes.filter((one) => !isDefault(one));
}

function isDefault({ prefix }: Route): boolean {
  return prefix === 0;
}

function defaultRoute(family: Family, gateway: string): Route {
  return { family, destination: family === 4 ? "0.0.0.0" : "::", prefix: 0, gateway };
}

function covers(network: string, prefix: number, address: string): boolean {
  return familyOf(network) === familyOf(address) && networkOf(network, prefix) === networkOf(address, prefix);
}

function isLinkLocal(address: string): boolean {
  return familyOf(address) === 6 && networkOf(address, 10) === "fe80::";
}
