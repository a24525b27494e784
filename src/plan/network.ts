/** What /init would do about the network, as sentences for `rdinit plan`. */

import type { Word } from "../boot/cmdline/cmdline.ts";
import { type RemoteSettings, readRemoteSettings } from "../boot/remote/settings.ts";
import { text } from "../lib/bytes.ts";
import { showLink } from "../network/link-names.ts";
import { readNetworkSettings } from "../network/settings.ts";
import type { InterfaceWish, LinkRef, Method, NetworkSettings } from "../network/types.ts";

/** What `rdinit plan` says of the network, and whether it would come up. */
export interface NetworkDescription {
  readonly steps: readonly string[];
  readonly isUp: boolean;
}

/**
 * How the network comes up; no steps when nobody wants it. `root` is a root that does, as it stands behind "for", and
 * `isBuiltForSsh` tells that the image is one for remote unlock.
 */
export function describeNetwork(
  words: readonly Word[],
  root: string | undefined,
  isBuiltForSsh: boolean,
): NetworkDescription {
  const { settings } = readNetworkSettings(words);
  const remote = readRemoteSettings(words).settings;
  const ssh = (remote.on ?? isBuiltForSsh) ? [describeRemote(remote)] : [];
  if (settings.isOff) return { steps: ["Configure no interface, as ip= says.", ...ssh], isUp: false };
  const isAsked = settings.isAskedFor || root !== undefined;
  if (!isAsked && ssh.length === 0) return { steps: [], isUp: false };
  const begin = isAsked
    ? `Bring the network up${root === undefined ? "" : ` for ${root}`}`
    : "When an encrypted volume is met, bring the network up for remote unlock";
  const parts = [...describeLinks(settings), ...describeAddresses(settings), ...describeRoutes(settings)];
  return { steps: [`${begin}: ${parts.join("; ")}.`, describeWaits(settings), ...ssh], isUp: true };
}

function describeRemote({ port, shell }: RemoteSettings): string {
  const more = shell ? "may have a shell" : "get nothing else";
  return `While a passphrase is asked for, let those in over SSH, on port ${port}, who have a key: they are asked as well, and ${more}.`;
}

/** What becomes of it before the hand-over. */
export function describeNetworkEnd(isUp: boolean, isRootOnNetwork: boolean): string[] {
  if (!isUp) return [];
  return isRootOnNetwork
    ? ["Leave the network as it is, for the root is on it."]
    : ["Give leases back, and take the network down."];
}

function describeLinks({ names, bonds, bridges, vlans }: NetworkSettings): string[] {
  return [
    ...names.map(({ name, mac }) => `call ${mac} ${text(name)}`),
    ...bonds.map(({ name, ports }) => `make the bond ${text(name)} of ${list(ports)}`),
    ...bridges.map(({ name, ports }) => `make the bridge ${text(name)} of ${list(ports)}`),
    ...vlans.map(({ name, id, over }) => `make ${text(name)}, the VLAN ${id} over ${show(over)}`),
  ];
}

function describeAddresses({ interfaces, bootLink }: NetworkSettings): string[] {
  const any = bootLink === undefined ? "every wired interface" : show(bootLink);
  const wishes: readonly Pick<InterfaceWish, "link" | "methods" | "addresses" | "gateways">[] =
    interfaces.length > 0
      ? interfaces
      : [{ link: undefined, methods: ["dhcp"], addresses: [], gateways: [] }];
  return wishes.map(({ link, methods, addresses, gateways }) => {
    const how = [
      ...addresses.map(({ address, prefix }) => `${address}/${prefix}`),
      ...methods.map((method) => METHODS[method]),
      ...gateways.map((gateway) => `the gateway ${gateway}`),
    ];
    const where = link === undefined ? any : show(link);
    return how.length === 0 ? `leave ${where} alone` : `configure ${where} with ${how.join(" and ")}`;
  });
}

const METHODS: Readonly<Record<Method, string>> = {
  dhcp: "a lease of DHCP",
  dhcp6: "a lease of DHCPv6",
  auto6: "IPv6 addresses that a router advertises",
  either6: "IPv6 addresses that a router advertises, or else of DHCPv6",
  link6: "an IPv6 address for the link alone",
  "link-local": "addresses for the link alone",
  ibft: "what the firmware's table for iSCSI says",
};

function describeRoutes({ routes, nameservers }: NetworkSettings): string[] {
  return [
    ...routes.map(
      ({ destination, prefix, gateway }) =>
        `reach ${destination}/${prefix} ${gateway === undefined ? "on the link" : `by ${gateway}`}`,
    ),
    ...(nameservers.length === 0 ? [] : [`ask the nameservers ${nameservers.join(", ")}`]),
  ];
}

function describeWaits({ timeouts, interfaces, dhcp, isWaitedFor }: NetworkSettings): string {
  const { link_ms, carrier_ms, dhcp_ms, auto6_ms } = timeouts;
  const methods = interfaces.length > 0 ? interfaces.flatMap((wish) => wish.methods) : ["dhcp"];
  const uses = (...some: readonly string[]) => methods.some((method) => some.includes(method));
  const tries = dhcp.tries === 1 ? "" : `, ${dhcp.tries} times`;
  const waits = [
    ...(interfaces.some(({ link }) => link !== undefined)
      ? [`${seconds(link_ms)} for an interface to appear`]
      : []),
    `${seconds(carrier_ms)} for a carrier`,
    ...(uses("dhcp", "dhcp6", "either6") ? [`${seconds(dhcp_ms)} for a lease${tries}`] : []),
    ...(uses("auto6", "either6") ? [`${seconds(auto6_ms)} for a router's advertisement`] : []),
  ];
  const when = isWaitedFor ? "" : ", where it is needed,";
  return `Wait for that${when} at most ${waits.join(", ")}.`;
}

function seconds(time_ms: number): string {
  return `${time_ms / 1000} s`;
}

function show(link: LinkRef): string {
  return text(showLink(link));
}

function list(links: readonly LinkRef[]): string {
  return links.map(show).join(", ");
}
