/** What resolv.conf(5) is to say. */

import type { InterfaceWish, Lease, NetworkSettings } from "./types.ts";

/** Where names are looked up. */
export interface Resolving {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
}

/** What is said first counts first: nameserver=, then the fields of ip=, then what servers and routers tell, unless rd.peerdns=0. */
export function planResolving(
  { nameservers, peerDns }: Pick<NetworkSettings, "nameservers" | "peerDns">,
  wishes: readonly Pick<InterfaceWish, "nameservers" | "domain">[],
  told: readonly Pick<Lease, "nameservers" | "domain" | "search">[],
): Resolving {
  const counting = peerDns ? told : [];
  return {
    nameservers: unique([
      ...nameservers,
      ...wishes.flatMap((wish) => wish.nameservers),
      ...counting.flatMap((lease) => lease.nameservers),
    ]),
    search: unique([
      ...wishes.flatMap(({ domain }) => domain ?? []),
      ...counting.flatMap(({ domain, search = [] }) => [
        ...(domain === undefined ? [] : [domain]),
        ...search,
      ]),
    ]),
  };
}

/** The file's content; empty when there is nothing to say. The C library reads the first three servers. */
export function formatResolvConf({ nameservers, search }: Resolving): string {
  const lines = nameservers.map((address) => `nameserver ${address}\n`);
  return [...(search.length === 0 ? [] : [`search ${search.join(" ")}\n`]), ...lines].join("");
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)];
}
