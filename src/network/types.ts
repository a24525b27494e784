/**
 * What is wished of the network, and what there is of it: plain data that the parsers here make and the boot acts on.
 *
 * All addresses are texts in one spelling: IPv4 dotted, IPv6 as RFC 5952 has it, MAC addresses in lower case with colons.
 */

/** What the command line asks of the network: made by readNetworkSettings() in settings.ts. */
export interface NetworkSettings {
  /** True when the command line asks for the network by itself: ip= (but off), rd.neednet=1; not with rd.neednet=0. */
  readonly isAskedFor: boolean;
  /** True for rd.neednet=1: the boot waits for the network, whatever the root is. */
  readonly isWaitedFor: boolean;
  /** True for ip=off, ip=none and an empty ip=, without another ip=: nothing is to be configured, whoever wants it. */
  readonly isOff: boolean;
  /** One for each interface that is named, and at most one without a name. plan.ts says what comes of them. */
  readonly interfaces: readonly InterfaceWish[];
  readonly bonds: readonly BondWish[];
  readonly bridges: readonly BridgeWish[];
  readonly vlans: readonly VlanWish[];
  /** Interfaces to be renamed: ifname=. */
  readonly names: readonly NameWish[];
  readonly routes: readonly RouteWish[];
  readonly nameservers: readonly string[];
  /** False when the nameservers of leases do not count: rd.peerdns=0. */
  readonly peerDns: boolean;
  /** The interface that the root is reached by, and whose routes, host name and root path count: bootdev=, BOOTIF=. */
  readonly bootLink: LinkRef | undefined;
  readonly timeouts: NetworkTimeouts;
  readonly dhcp: DhcpSettings;
}

/** An interface, as a person names it. */
export type LinkRef =
  { readonly by: "name"; readonly name: string } | { readonly by: "mac"; readonly mac: string };

/**
 * Where addresses come from. `dhcp` is DHCPv4, `auto6` is router advertisements, `either6` is DHCPv6 when auto6 brings
 * nothing, `link6` wants an IPv6 link-local address alone, `link-local` that and one of 169.254.0.0/16, `ibft` what the
 * firmware's table says.
 */
export type Method = "dhcp" | "dhcp6" | "auto6" | "either6" | "link6" | "link-local" | "ibft";

export interface InterfaceWish {
  /** Undefined: the boot interface, or any. */
  readonly link: LinkRef | undefined;
  /** All of them, in this order. Empty with `addresses` empty as well: leave the interface alone (ip=eth0:off). */
  readonly methods: readonly Method[];
  /** Stop asking on other interfaces when one has answered: ip=single-dhcp. */
  readonly isSingle: boolean;
  readonly addresses: readonly StaticAddress[];
  /** One of each family at most. */
  readonly gateways: readonly string[];
  /** The second field: the machine that the root comes from, and the other end of the link when that has only two. */
  readonly server: string | undefined;
  /** Without a domain. */
  readonly hostName: string | undefined;
  /** What stood behind the first dot of the host name. */
  readonly domain: string | undefined;
  readonly nameservers: readonly string[];
  readonly ntpServers: readonly string[];
  readonly mtu: number | undefined;
  /** The MAC address to give to the interface. */
  readonly mac: string | undefined;
  /** DHCP option 61, with the type in front: the kernel's ip=dhcp,TYPE,VALUE. */
  readonly clientId: Uint8Array | undefined;
}

export interface StaticAddress {
  readonly family: Family;
  readonly address: string;
  readonly prefix: number;
  /** The other end of a link of two; `prefix` is that of the peer then. */
  readonly peer: string | undefined;
}

export type Family = 4 | 6;

export interface BondWish {
  readonly name: string;
  readonly ports: readonly LinkRef[];
  /** In the order in which the kernel takes them (bond-options.ts). */
  readonly options: readonly BondOption[];
  readonly mtu: number | undefined;
}

/** An option of the kernel's bonding driver, checked: Documentation/networking/bonding.rst. */
export interface BondOption {
  /** As in /sys/class/net/BOND/bonding. */
  readonly name: string;
  /** As that file takes it. */
  readonly text: string;
  /** As rtnetlink takes it: a number (a mode's, a time in ms …), addresses, a MAC address, or the name of a port. */
  readonly value: number | string | readonly string[];
  /** True for what can be set only when the ports are there: primary, active_slave. */
  readonly needsPorts: boolean;
}

export interface BridgeWish {
  readonly name: string;
  readonly ports: readonly LinkRef[];
}

export interface VlanWish {
  readonly name: string;
  /** 1 to 4094. */
  readonly id: number;
  /** The interface that it runs over. */
  readonly over: LinkRef;
}

export interface NameWish {
  readonly name: string;
  readonly mac: string;
}

/** A destination that is reached by a gateway, or on the link when there is none. */
export interface Route {
  readonly family: Family;
  /** The network's own address: no bit is set behind the prefix. */
  readonly destination: string;
  readonly prefix: number;
  readonly gateway: string | undefined;
}

export interface RouteWish extends Route {
  /** Undefined: wherever the kernel reaches the gateway. */
  readonly link: LinkRef | undefined;
}

/** How long each step may take. */
export interface NetworkTimeouts {
  /** Until an interface appears that was named. */
  readonly link_ms: number;
  /** Until a link is up after it was set up. */
  readonly up_ms: number;
  readonly carrier_ms: number;
  /** Until DHCP has answered; in all, with its retries. */
  readonly dhcp_ms: number;
  /** Until IPv6 addresses are known to be nobody else's. */
  readonly dad_ms: number;
  /** Until a router has advertised. */
  readonly auto6_ms: number;
  /** Until a route to the gateway is there. */
  readonly route_ms: number;
}

export interface DhcpSettings {
  /** How often DHCP is tried, each time for `dhcp_ms`. */
  readonly tries: number;
  /** Option 60. */
  readonly vendorClass: string | undefined;
}

/** What a DHCP server gave: of DHCPv4 by lease.ts, of DHCPv6 by dhcp6-lease.ts. */
export interface Lease {
  readonly family: Family;
  readonly address: string;
  readonly prefix: number;
  readonly routers: readonly string[];
  readonly routes: readonly Route[];
  readonly nameservers: readonly string[];
  readonly domain?: string;
  /** Domains to look names up in. */
  readonly search?: readonly string[];
  readonly ntpServers?: readonly string[];
  readonly hostName?: string;
  /** Option 17. */
  readonly rootPath?: string;
  /** siaddr of the header. */
  readonly nextServer?: string;
  /** The DHCP server's own address. */
  readonly server?: string;
  /** How long it lasts; undefined is for ever. */
  readonly seconds?: number;
  readonly mtu?: number;
}

/** What is configured. */
export interface NetworkState {
  readonly interfaces: readonly {
    readonly name: string;
    /** Such as "10.0.2.15/24". */
    readonly addresses: readonly string[];
    readonly lease?: Lease;
  }[];
  readonly nameservers: readonly string[];
}
