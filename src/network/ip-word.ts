/**
 * One ip=, in all its forms: those of the kernel (Documentation/admin-guide/nfs/nfsroot.rst, ip_auto_config_setup() of
 * net/ipv4/ipconfig.c), and those of dracut.cmdline(7), whose odd corners are its ip_to_var() and systemd's
 * network-generator.c.
 *
 *   ip=METHOD[,METHOD]
 *   ip=INTERFACE:METHOD[:[MTU][:MAC]]
 *   ip=[ADDRESS]:[SERVER]:[GATEWAY]:[NETMASK]:[HOSTNAME]:[INTERFACE]:[METHOD][:[MTU][:MAC]]
 *   ip=[ADDRESS]:[SERVER]:[GATEWAY]:[NETMASK]:[HOSTNAME]:[INTERFACE]:[METHOD][:[DNS1][:[DNS2][:[NTP]]]]
 *
 * IPv6 addresses stand in brackets. A METHOD is one of methods.ts; none and off are no method.
 */

import { text, toBytes } from "../lib/bytes.ts";
import { classPrefix, familyOf, fullPrefix, isUnspecified, normalAddress, parsePrefix } from "./address.ts";
import { isDomain } from "./domains.ts";
import { splitFields, unbracket } from "./fields.ts";
import { normalMac, parseLink } from "./link-names.ts";
import { type Methods, parseMethods, unknownMethod } from "./methods.ts";
import type { InterfaceWish, StaticAddress } from "./types.ts";

/** What one ip= says. */
export interface IpWord {
  /** Undefined when nothing is to be configured (ip=off), or when it makes no sense. */
  readonly wish: InterfaceWish | undefined;
  /** Sentences: why it is ignored, or which of its fields are. */
  readonly problems: readonly string[];
}

/** Reads the value of one ip=. Never throws. */
export function parseIp(value: string): IpWord {
  if (value === "") return { wish: undefined, problems: [] };
  // A client identifier may hold colons.
  const alone = parseMethods(value);
  if (alone !== undefined)
    return { wish: alone.isNone ? undefined : { ...nothing, ...pick(alone) }, problems: [] };
  const fields = splitFields(value);
  if (fields === undefined) return refused("an IPv6 address has to stand in [ and ], with : behind.");
  const [first = "", second = ""] = fields;
  const isAddress = first === "" || normalAddress(unbracket(first).split("/")[0] ?? "") !== undefined;
  if (fields.length === 1 && !isAddress) return refused(unknownMethod(first));
  const isMethod = second !== "" && parseMethods(second) !== undefined;
  if (!isAddress && (fields.length < 5 || isMethod)) return parseShort(fields);
  return parseLong(fields);
}

/** A wish without anything in it. */
export const nothing: InterfaceWish = {
  link: undefined,
  methods: [],
  isSingle: false,
  addresses: [],
  gateways: [],
  server: undefined,
  hostName: undefined,
  domain: undefined,
  nameservers: [],
  ntpServers: [],
  mtu: undefined,
  mac: undefined,
  clientId: undefined,
};

function parseShort([
  interfaceName = "",
  method = "",
  mtu = "",
  mac = "",
  ...more
]: readonly string[]): IpWord {
  const link = parseLink(interfaceName);
  if (link === undefined) return refused(`${quoted(interfaceName)} can't be the name of an interface.`);
  const methods = parseMethods(method);
  if (methods === undefined || method === "") return refused(unknownMethod(method));
  const problems: string[] = [];
  const wish: InterfaceWish = {
    ...nothing,
    link,
    ...pick(methods),
    mtu: readMtu(mtu, problems),
    mac: readMac(mac, problems),
  };
  tellOfMore(more, problems);
  return { wish, problems };
}

function parseLong(fields: readonly string[]): IpWord {
  const [address = "", server = "", gateway = "", mask = "", hostName = "", interfaceName = "", method = ""] =
    fields;
  const link = parseLink(interfaceName);
  if (link === undefined && interfaceName !== "")
    return refused(`${quoted(interfaceName)} can't be the name of an interface.`);
  const methods = parseMethods(method);
  if (methods === undefined) return refused(unknownMethod(method));
  const own = readOwnAddress(address, server, mask);
  if (typeof own === "string") return refused(own);
  if (own === undefined && methods.isNone && link === undefined) return { wish: undefined, problems: [] };
  const problems: string[] = [];
  // The kernel asks nobody for what it has been told.
  const asked = methods.methods.filter((one) => own === undefined || one !== "dhcp");
  if (own !== undefined && method.startsWith("dhcp") && asked.length < methods.methods.length)
    problems.push(`the address counts, and DHCP is not asked for another.`);
  const [name = "", ...domain] = readHostName(hostName, problems).split(".");
  const gate = readAddress(gateway, "gateway", problems);
  const wish: InterfaceWish = {
    ...nothing,
    link,
    ...pick(methods),
    methods: asked,
    addresses: own === undefined ? [] : [own],
    gateways: gate === undefined ? [] : [gate],
    server: own?.peer ?? readAddress(server.replace(/\/\d+(?=\]?$)/, ""), "server", problems),
    hostName: name === "" ? undefined : name,
    domain: domain.length === 0 ? undefined : domain.join("."),
    ...readRest(fields.slice(7), problems),
  };
  return { wish, problems };
}

// The last fields are [MTU][:MAC], or [DNS1][:[DNS2][:[NTP]]].
function readRest(
  [eighth = "", ninth = "", tenth = "", ...more]: readonly string[],
  problems: string[],
): Partial<InterfaceWish> {
  if (/^\d+$/.test(eighth) || (eighth === "" && normalMac(ninth) !== undefined)) {
    tellOfMore([tenth, ...more], problems);
    return { mtu: readMtu(eighth, problems), mac: readMac(ninth, problems) };
  }
  tellOfMore(more, problems);
  const servers = [eighth, ninth].map((one) => readAddress(one, "nameserver", problems));
  const ntp = readAddress(tenth, "time server", problems);
  return {
    nameservers: servers.filter((one) => one !== undefined),
    ntpServers: ntp === undefined ? [] : [ntp],
  };
}

// The address of the interface; undefined when the field is empty, and a sentence when it or its netmask is wrong.
function readOwnAddress(field: string, server: string, mask: string): StaticAddress | undefined | string {
  const [bare = "", length] = unbracket(field).split("/");
  if (bare === "") return undefined;
  const address = normalAddress(bare);
  if (address === undefined) return `${quoted(bare)} is no IP address.`;
  if (isUnspecified(address)) return undefined;
  const family = familyOf(address);
  const said = length ?? unbracket(mask);
  const prefix = said === "" ? defaultPrefix(address) : parsePrefix(said, family);
  if (typeof prefix === "string") return `${quoted(said)} can't be the netmask: ${prefix}`;
  return { family, address, ...readPeer(server, family, prefix) };
}

// A server that is told with a prefix, or to an interface without neighbours, is the other end of the link.
function readPeer(server: string, family: 4 | 6, own: number): { peer: string | undefined; prefix: number } {
  const [bare = "", length] = unbracket(server).split("/");
  const peer = normalAddress(bare);
  const prefix = length === undefined ? own : parsePrefix(length, family);
  if (peer === undefined || familyOf(peer) !== family || typeof prefix === "string")
    return { peer: undefined, prefix: own };
  const isPeer = length !== undefined || own === fullPrefix(family);
  return isPeer ? { peer, prefix } : { peer: undefined, prefix: own };
}

// What the kernel takes for IPv4, and what every link of IPv6 has (RFC 4291 section 2.5.1).
function defaultPrefix(address: string): number {
  return familyOf(address) === 4 ? classPrefix(address) : 64;
}

function readAddress(field: string, what: string, problems: string[]): string | undefined {
  if (field === "") return undefined;
  const address = normalAddress(unbracket(field));
  if (address === undefined) problems.push(`its ${what} ${quoted(field)} is no IP address and is left out.`);
  return address === undefined || isUnspecified(address) ? undefined : address;
}

function readHostName(field: string, problems: string[]): string {
  const isName = field === "" || isDomain(field);
  if (!isName) problems.push(`${quoted(field)} can't be a host name and is left out.`);
  return isName ? field.replace(/\.$/, "") : "";
}

/** A text as the MTU of an interface: 68 is the least that IPv4 takes (RFC 791), 65535 the longest packet. */
export function readMtu(field: string, problems: string[]): number | undefined {
  if (field === "") return undefined;
  const mtu = /^\d{1,5}$/.test(field) ? Number(field) : 0;
  if (mtu >= 68 && mtu <= 65_535) return mtu;
  problems.push(`its MTU ${quoted(field)} is no number from 68 to 65535 and is left out.`);
  return undefined;
}

function readMac(field: string, problems: string[]): string | undefined {
  if (field === "") return undefined;
  const mac = normalMac(field);
  if (mac === undefined) problems.push(`${quoted(field)} is no MAC address and is left out.`);
  return mac;
}

function tellOfMore(more: readonly string[], problems: string[]): void {
  if (more.some((field) => field !== ""))
    problems.push(`what stands behind its last field is left out: ${quoted(more.join(":"))}.`);
}

function pick({
  methods,
  isSingle,
  clientId,
}: Methods): Pick<InterfaceWish, "methods" | "isSingle" | "clientId"> {
  return { methods, isSingle, clientId: clientId === undefined ? undefined : clientIdOf(clientId) };
}

function clientIdOf({ type, value }: NonNullable<Methods["clientId"]>): Uint8Array {
  return Uint8Array.from([type, ...toBytes(value)]);
}

function refused(problem: string): IpWord {
  return { wish: undefined, problems: [problem] };
}

function quoted(field: string): string {
  return `"${text(field)}"`;
}
