/**
 * A lease of DHCPv4, as busybox's udhcpc tells its script of it: by variables of the environment. Their names are those
 * of dhcp_option_strings[] in its networking/udhcp/common.c and fill_envp() in dhcpc.c; what they mean is in RFC 2131,
 * 2132 and 3442. A server may write what it likes: what makes no sense is as if it were not there.
 */

import {
  classPrefix,
  familyOf,
  isUnspecified,
  maskPrefix,
  networkOf,
  normalAddress,
  parseAddress,
} from "./address.ts";
import { isDomain } from "./domains.ts";
import type { Lease, Route } from "./types.ts";

/** The lease of a `bound` or `renew`; undefined when the environment holds no address. */
export function parseLease(environment: ReadonlyMap<string, string>): Lease | undefined {
  const address = address4(environment.get("ip"));
  if (address === undefined) return undefined;
  const classless = classlessRoutes(environment);
  const domains = names(environment.get("domain"));
  const search = names(environment.get("search"));
  return {
    family: 4,
    address,
    prefix: prefixOf(environment, address),
    // Where there are classless routes, the others are to be ignored (RFC 3442).
    routers: classless === undefined ? addresses(environment.get("router")) : [],
    routes: classless ?? classfulRoutes(environment.get("routes")),
    nameservers: addresses(environment.get("dns")),
    ...given("domain", domains[0]),
    ...given("search", search.length > 0 ? search : domains.length > 1 ? domains : undefined),
    ...given("ntpServers", nonEmpty(addresses(environment.get("ntpsrv")))),
    ...given("hostName", names(environment.get("hostname"))[0]),
    ...given("rootPath", printable(environment.get("rootpath"))),
    ...given("nextServer", address4(environment.get("siaddr"))),
    ...given("server", address4(environment.get("serverid"))),
    ...given("seconds", seconds(environment.get("lease"))),
    ...given("mtu", mtu(environment.get("mtu"))),
  };
}

function prefixOf(environment: ReadonlyMap<string, string>, address: string): number {
  const mask = parseAddress(environment.get("subnet") ?? "");
  return (mask?.length === 4 ? maskPrefix(mask) : undefined) ?? classPrefix(address);
}

// Option 121 or, of Microsoft's servers, 249: "10.1.0.0/16 10.0.2.3 0.0.0.0/0 10.0.2.2". A router of 0.0.0.0 is none:
// the network is on the link.
function classlessRoutes(environment: ReadonlyMap<string, string>): Route[] | undefined {
  const list = words(environment.get("staticroutes") ?? environment.get("msstaticroutes"));
  const routes: Route[] = [];
  for (let at = 0; at + 1 < list.length; at += 2) {
    const [network = "", length = ""] = (list[at] ?? "").split("/");
    const destination = normalAddress(network);
    const router = normalAddress(list[at + 1] ?? "");
    if (destination === undefined || router === undefined || !/^\d{1,2}$/.test(length)) continue;
    if (familyOf(destination) === 6 || familyOf(router) === 6 || Number(length) > 32) continue;
    routes.push(route(destination, Number(length), isUnspecified(router) ? undefined : router));
  }
  return routes.length === 0 ? undefined : routes;
}

// Option 33: "10.1.2.3/10.0.2.3", a machine or, without bits behind it, a network of a class, and its router.
function classfulRoutes(value: string | undefined): Route[] {
  return words(value).flatMap((pair) => {
    const [network = "", router = ""] = pair.split("/").map(address4);
    if (network === "" || router === "") return [];
    const prefix = classPrefix(network);
    return [route(network, networkOf(network, prefix) === network ? prefix : 32, router)];
  });
}

function route(address: string, prefix: number, gateway: string | undefined): Route {
  return { family: 4, destination: networkOf(address, prefix), prefix, gateway };
}

function addresses(value: string | undefined): string[] {
  return [...new Set(words(value).flatMap((word) => address4(word) ?? []))];
}

function address4(value: string | undefined): string | undefined {
  const address = value === undefined || value.includes(":") ? undefined : normalAddress(value.trim());
  return address === undefined || isUnspecified(address) ? undefined : address;
}

// All ones is for ever.
function seconds(value: string | undefined): number | undefined {
  const number = /^\d{1,10}$/.test(value ?? "") ? Number(value) : undefined;
  return number === undefined || number >= 0xffff_ffff ? undefined : number;
}

// 576 and less come of servers for modems and break more than they mend (Debian's dhclient-script).
function mtu(value: string | undefined): number | undefined {
  const number = /^\d{1,5}$/.test(value ?? "") ? Number(value) : 0;
  return number > 576 && number <= 65_535 ? number : undefined;
}

function printable(value: string | undefined): string | undefined {
  return value === undefined || value === "" || /[\u0000-\u001f\u007f]/.test(value) ? undefined : value;
}

// "bad" is what udhcpc writes in place of a name that is none.
function names(value: string | undefined): string[] {
  return words(value).filter((word) => word !== "bad" && isDomain(word));
}

function words(value: string | undefined): string[] {
  return (value ?? "").split(/[ \t\n]+/).filter((word) => word !== "");
}

function nonEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function given<K extends keyof Lease>(key: K, value: Lease[K] | undefined): Partial<Pick<Lease, K>> {
  return value === undefined ? {} : ({ [key]: value } as Pick<Lease, K>);
}
