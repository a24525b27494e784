/** The table of the network's parameters. */

import { normalAddress } from "./address.ts";
import { unbracket } from "./fields.ts";
import { parseBootif, parseLink } from "./link-names.ts";
import {
  type Parameter,
  added,
  readIp,
  readSwitch,
  readVendorClass,
  timeout,
  withValue,
  without,
} from "./readers.ts";
import { parseRoute } from "./route-word.ts";
import { parseBond, parseBridge, parseName, parseVlan } from "./virtual-words.ts";

/** Every parameter, in the order of the manual. */
export const networkParameters: readonly Parameter[] = [
  {
    name: "ip",
    usage: "ip=METHOD[,METHOD]",
    meaning:
      "configure the network: by dhcp (on, any), single-dhcp, dhcp6, auto6, either6, link6, link-local or ibft; none and off leave it alone",
    read: readIp,
  },
  {
    name: "ip",
    usage: "ip=INTERFACE:METHOD[:[MTU][:MAC]]",
    meaning: "configure this interface, named by its name or its MAC address; may be given for several",
  },
  {
    name: "ip",
    usage: "ip=[ADDRESS[/PREFIX]]:[SERVER]:[GATEWAY]:[NETMASK]:[HOSTNAME]:[INTERFACE]:[METHOD][:[MTU][:MAC]]",
    meaning:
      "give the interface this address, and what METHOD brings besides; IPv6 addresses stand in brackets",
  },
  {
    name: "ip",
    usage: "ip=ADDRESS:SERVER:GATEWAY:NETMASK:HOSTNAME:INTERFACE:METHOD:DNS[:[DNS][:NTP]]",
    meaning: "the same with nameservers and a time server; each field may be empty, and the last left out",
  },
  {
    name: "rd.iscsi.ibft",
    usage: "rd.iscsi.ibft[=0|1]",
    meaning: "the same as ip=ibft",
    read: (value, draft) => readSwitch((on) => (on ? (readIp("ibft", draft).draft ?? {}) : {}))(value, draft),
  },
  { name: "nfsaddrs", usage: "nfsaddrs=…", meaning: "the same as ip=, by its oldest name", read: readIp },
  {
    name: "rd.neednet",
    usage: "rd.neednet=0|1",
    meaning:
      "bring the network up and wait for it before the root is looked for, by DHCP without ip=; 0 does so only for what needs it (default: with ip= it comes up while the boot goes on)",
    read: readSwitch((isNeeded) => ({ isNeeded })),
  },
  {
    name: "bootdev",
    usage: "bootdev=INTERFACE",
    meaning: "the interface that the root is reached by, whose routes, host name and root path count",
    read: withValue((value) => {
      const bootdev = parseLink(value);
      return bootdev === undefined
        ? { ignored: "it can't be the name of an interface." }
        : { draft: { bootdev } };
    }),
  },
  {
    name: "BOOTIF",
    usage: "BOOTIF=MAC",
    meaning:
      "the same by its MAC address, as PXE boot loaders write it; does not ask for the network by itself",
    read: withValue((value) => {
      const mac = parseBootif(value);
      return mac === undefined
        ? { ignored: "it is no MAC address." }
        : { draft: { bootif: { by: "mac", mac } } };
    }),
  },
  {
    name: "rd.bootif",
    usage: "rd.bootif=0|1",
    meaning: "whether BOOTIF= counts (default 1)",
    read: readSwitch((usesBootif) => ({ usesBootif })),
  },
  {
    name: "ifname",
    usage: "ifname=NAME:MAC",
    meaning: "rename the interface with this MAC address; may be given for several",
    read: withValue((value, draft) =>
      added(parseName(value), (one) => ({
        names: [...draft.names.filter(({ name, mac }) => name !== one.name && mac !== one.mac), one],
      })),
    ),
  },
  {
    name: "vlan",
    usage: "vlan=NAME:INTERFACE",
    meaning:
      "make a VLAN over the interface, its number being the end of NAME: vlan5, vlan0005, eth0.5, eth0.0005",
    read: withValue((value, draft) =>
      added(parseVlan(value), (one) => ({ vlans: [...without(draft.vlans, one), one] })),
    ),
  },
  {
    name: "bond",
    usage: "bond=NAME[:INTERFACE,…[:OPTION=VALUE,…[:MTU]]]",
    meaning:
      "make a bond of the interfaces (default bond0 of eth0 and eth1), with options of the kernel's driver; several addresses in one have ; between them",
    read: (value = "", draft) =>
      added(parseBond(value), (one) => ({ bonds: [...without(draft.bonds, one), one] })),
  },
  {
    name: "bridge",
    usage: "bridge=NAME:INTERFACE,…",
    meaning: "make a bridge of the interfaces (default br0 of eth0)",
    read: (value = "", draft) =>
      added(parseBridge(value), (one) => ({ bridges: [...without(draft.bridges, one), one] })),
  },
  {
    name: "team",
    usage: "team=NAME:INTERFACE,…",
    meaning: "not supported, as teams need a daemon: use bond=",
    read: () => ({ ignored: "a team needs a daemon that is not here; use bond= instead." }),
  },
  {
    name: "rd.route",
    usage: "rd.route=NETWORK/PREFIX:[GATEWAY][:INTERFACE]",
    meaning: "add this route; IPv6 addresses stand in brackets; may be given often",
    read: withValue((value, draft) =>
      added(parseRoute(value), (one) => ({ routes: [...draft.routes, one] })),
    ),
  },
  {
    name: "nameserver",
    usage: "nameserver=ADDRESS",
    meaning: "use this nameserver, before those of leases; may be given often",
    read: withValue((value, draft) => {
      const address = normalAddress(unbracket(value));
      return address === undefined
        ? { ignored: "it is no IP address." }
        : { draft: { nameservers: [...new Set([...draft.nameservers, address])] } };
    }),
  },
  {
    name: "rd.peerdns",
    usage: "rd.peerdns=0|1",
    meaning: "whether the nameservers of leases and of router advertisements count (default 1)",
    read: readSwitch((peerDns) => ({ peerDns })),
  },
  timeout("link_ms", "rd.net.timeout.iflink", "how long to wait for an interface that is named (default 60)"),
  timeout("up_ms", "rd.net.timeout.ifup", "how long to wait until an interface is up (default 20)"),
  timeout("carrier_ms", "rd.net.timeout.carrier", "how long to wait for a carrier (default 10)"),
  timeout(
    "dhcp_ms",
    "rd.net.timeout.dhcp",
    "how long to wait for an answer of DHCP, at each try (default 60)",
  ),
  timeout(
    "dad_ms",
    "rd.net.timeout.ipv6dad",
    "how long to wait until an IPv6 address is known to be free (default 50)",
  ),
  timeout(
    "auto6_ms",
    "rd.net.timeout.ipv6auto",
    "how long to wait for a router's advertisement (default 40)",
  ),
  timeout("route_ms", "rd.net.timeout.route", "how long to wait for a route (default 20)"),
  {
    name: "rd.net.dhcp.retry",
    usage: "rd.net.dhcp.retry=COUNT",
    meaning: "how often DHCP is tried (default 1)",
    read: withValue((value, { dhcp }) =>
      /^[1-9]\d{0,8}$/.test(value)
        ? { draft: { dhcp: { ...dhcp, tries: Number(value) } } }
        : { ignored: "it is no number from 1 on." },
    ),
  },
  {
    name: "rd.net.dhcp.vendor-class",
    usage: "rd.net.dhcp.vendor-class=TEXT",
    meaning: "the vendor class that DHCP servers are told",
    read: readVendorClass,
  },
  {
    name: "dhcpclass",
    usage: "dhcpclass=TEXT",
    meaning: "the same, by the kernel's name",
    read: readVendorClass,
  },
];
