/**
 * ip=ibft: what the firmware has configured to boot from iSCSI. The kernel's module iscsi_ibft shows the firmware's table
 * as /sys/firmware/ibft/ethernet0, 1 …, a file for each field (Documentation/ABI/testing/sysfs-ibft; the names are in
 * drivers/scsi/iscsi_boot_sysfs.c, the values in drivers/firmware/iscsi_ibft.c).
 */

import { classPrefix, familyOf, isUnspecified, maskPrefix, normalAddress, parseAddress } from "./address.ts";
import { isDomain } from "./domains.ts";
import { nothing } from "./ip-word.ts";
import { normalMac } from "./link-names.ts";
import type { InterfaceWish, LinkRef, NetworkSettings, StaticAddress, VlanWish } from "./types.ts";

/** The files of an interface that count, in its directory; a missing one is "". */
export type IbftNic = Readonly<Partial<Record<(typeof ibftFiles)[number], string>>>;

export const ibftFiles = [
  "mac",
  "flags",
  "vlan",
  "ip-addr",
  "prefix-len",
  "subnet-mask",
  "gateway",
  "primary-dns",
  "secondary-dns",
  "dhcp",
  "origin",
  "hostname",
] as const;

/** True when a wish needs the firmware's table. */
export function wantsIbft({ interfaces }: NetworkSettings): boolean {
  return interfaces.some(({ methods }) => methods.includes("ibft"));
}

/**
 * The settings with the firmware's in the place of ip=ibft: the table says which interfaces it means. Without one that
 * can be used DHCP is asked, and a sentence says so.
 */
export function withIbft(
  settings: NetworkSettings,
  nics: readonly IbftNic[],
): { settings: NetworkSettings; problem: string | undefined } {
  if (!wantsIbft(settings)) return { settings, problem: undefined };
  const found = chosen(nics).flatMap((nic) => readNic(nic) ?? []);
  if (found.length === 0) return { settings: withoutTable(settings), problem: NO_TABLE };
  const vlans = found.flatMap(({ vlan }) => vlan ?? []);
  const rest = settings.interfaces.flatMap((wish) => {
    const methods = wish.methods.filter((one) => one !== "ibft");
    const isIbftAlone = methods.length < wish.methods.length && methods.length + wish.addresses.length === 0;
    return isIbftAlone ? [] : [{ ...wish, methods }];
  });
  return {
    settings: {
      ...settings,
      interfaces: [...rest, ...found.map(({ wish }) => wish)],
      vlans: [...settings.vlans.filter(({ name }) => vlans.every((vlan) => vlan.name !== name)), ...vlans],
      bootLink: settings.bootLink ?? found[0]?.wish.link,
    },
    problem: undefined,
  };
}

function withoutTable(settings: NetworkSettings): NetworkSettings {
  const interfaces = settings.interfaces.map((wish) => {
    const methods = wish.methods.map((one) => (one === "ibft" ? "dhcp" : one));
    return { ...wish, methods: [...new Set(methods)] };
  });
  return { ...settings, interfaces };
}

// Those that the firmware has booted from; or without any, all that are valid.
function chosen(nics: readonly IbftNic[]): IbftNic[] {
  const valid = nics.filter(({ flags }) => (Number(flags) & VALID) !== 0);
  const selected = valid.filter(({ flags }) => (Number(flags) & SELECTED) !== 0);
  return selected.length > 0 ? selected : valid;
}

function readNic(nic: IbftNic): { wish: InterfaceWish; vlan: VlanWish | undefined } | undefined {
  const mac = normalMac(nic.mac?.trim() ?? "");
  if (mac === undefined) return undefined;
  const card: LinkRef = { by: "mac", mac };
  const id = Number(nic.vlan ?? 0);
  const vlan = id >= 1 && id <= 4094 ? { name: `ibft.${id}`, id, over: card } : undefined;
  const own = readOwn(nic);
  const isDhcp = Number(nic.origin) === BY_DHCP || address(nic.dhcp) !== undefined;
  if (own === undefined && !isDhcp) return undefined;
  const gateway = address(nic.gateway);
  const hostName = nic.hostname?.trim() ?? "";
  const wish: InterfaceWish = {
    ...nothing,
    link: vlan === undefined ? card : { by: "name", name: vlan.name },
    ...(isDhcp || own === undefined
      ? { methods: [own?.family === 6 ? ("dhcp6" as const) : ("dhcp" as const)] }
      : {
          addresses: [own],
          gateways: gateway === undefined ? [] : [gateway],
          nameservers: [nic["primary-dns"], nic["secondary-dns"]].flatMap((one) => address(one) ?? []),
        }),
    hostName: isDomain(hostName) ? hostName : undefined,
  };
  return { wish, vlan };
}

function readOwn(nic: IbftNic): StaticAddress | undefined {
  const own = address(nic["ip-addr"]);
  if (own === undefined) return undefined;
  const family = familyOf(own);
  const mask = parseAddress(nic["subnet-mask"]?.trim() ?? "");
  const length = Number(nic["prefix-len"] ?? 0);
  const said = length > 0 && length <= (family === 4 ? 32 : 128) ? length : undefined;
  const prefix = said ?? (family === 6 ? 64 : ((mask && maskPrefix(mask)) ?? classPrefix(own)));
  return { family, address: own, prefix, peer: undefined };
}

function address(value: string | undefined): string | undefined {
  const found = normalAddress(value?.trim() ?? "");
  return found === undefined || isUnspecified(found) ? undefined : found;
}

const NO_TABLE =
  "ip=ibft: the firmware tells of no interface that can be used (/sys/firmware/ibft); DHCP is asked instead.";
const VALID = 1;
const SELECTED = 2;
/** The origin of an address (of Microsoft's NL_PREFIX_ORIGIN, which the table's specification takes over). */
const BY_DHCP = 3;
