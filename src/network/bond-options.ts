/**
 * Options of a bond: MODE=…,MIIMON=…, as initscripts, dracut and the kernel's module know them. Names, values and the
 * order in which the kernel takes them are those of bond_opts[] and bond_changelink() in Linux's drivers/net/bonding.
 */

import { text } from "../lib/bytes.ts";
import { nearest } from "../lib/nearest.ts";
import { normalAddress } from "./address.ts";
import { unbracket } from "./fields.ts";
import { isLinkName, normalMac } from "./link-names.ts";
import type { BondOption } from "./types.ts";

/** The options of a list, in the order of the table; a sentence for each that can't be. */
export function parseBondOptions(list: string): { options: BondOption[]; problems: string[] } {
  const said = new Map<string, string>();
  const problems: string[] = [];
  for (const word of list.split(",").filter((one) => one !== "")) {
    const [, key = word, value = ""] = /^([^=]*)=([^]*)$/.exec(word) ?? [];
    const name = ALIASES.get(key) ?? key;
    const kind = OPTIONS.get(name);
    if (kind === undefined) problems.push(unknownOption(key));
    else if (readValue(kind, value) === undefined)
      problems.push(`its option ${text(key)}="${text(value)}" makes no sense and is left out.`);
    else said.set(name, value);
  }
  if (isOn(said, "arp_interval") && isOn(said, "miimon")) {
    said.delete("miimon");
    problems.push("arp_interval= and miimon= exclude each other; miimon= is left out.");
  }
  // Without either the kernel would never notice that a cable is out.
  if (!said.has("miimon") && !isOn(said, "arp_interval")) said.set("miimon", "100");
  return { options: [...OPTIONS].flatMap(([name, kind]) => optionOf(name, kind, said.get(name))), problems };
}

function unknownOption(key: string): string {
  const meant = nearest(key, [...OPTIONS.keys(), ...ALIASES.keys()]);
  return `bonds have no option "${text(key)}"; it is left out.${meant === undefined ? "" : ` Did you mean ${meant}?`}`;
}

function optionOf(name: string, kind: Kind, source: string | undefined): BondOption[] {
  const value = source === undefined ? undefined : readValue(kind, source);
  if (value === undefined) return [];
  const shown = typeof value === "object" ? value.join(",") : String(value);
  return [{ name, text: shown, value, needsPorts: kind === "port" }];
}

function isOn(said: ReadonlyMap<string, string>, name: string): boolean {
  return Number(said.get(name) ?? 0) !== 0;
}

/** What a value may be: names of the numbers from 0 on, a range, or something else. */
type Kind = readonly string[] | { readonly from: number; readonly to: number } | "port" | "mac" | "4s" | "6s";

function readValue(kind: Kind, source: string): BondOption["value"] | undefined {
  if (kind === "port") return isLinkName(source) ? source : undefined;
  if (kind === "mac") return normalMac(source);
  if (kind === "4s" || kind === "6s") {
    // dracut's separator is the semicolon; initscripts have a + in front of each.
    const addresses = source.split(/[;+]/).filter((one) => one !== "");
    const known = addresses.map((one) => normalAddress(unbracket(one))).filter((one) => one !== undefined);
    const isRight = known.every((one) => one.includes(":") === (kind === "6s"));
    return isRight && known.length === addresses.length && known.length > 0 && known.length <= 16
      ? known
      : undefined;
  }
  const number = /^\d{1,10}$/.test(source) ? Number(source) : undefined;
  if (!("from" in kind)) {
    const at = kind.indexOf(source);
    if (at >= 0) return at;
    return number !== undefined && number < kind.length ? number : undefined;
  }
  const named = source === "off" && kind.from === 0 ? 0 : number;
  return named !== undefined && named >= kind.from && named <= kind.to ? named : undefined;
}

const maxInt = 0x7fff_ffff;
const anyInt = { from: 0, to: maxInt };
const byte = { from: 0, to: 255 };
const onOff = ["off", "on"];

// In the order of bond_changelink(), but that what needs ports comes last.
const OPTIONS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  [
    "mode",
    ["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"],
  ],
  ["miimon", anyInt],
  ["updelay", anyInt],
  ["downdelay", anyInt],
  ["peer_notif_delay", { from: 0, to: 300_000 }],
  ["use_carrier", onOff],
  ["arp_interval", anyInt],
  ["arp_ip_target", "4s"],
  ["ns_ip6_target", "6s"],
  ["arp_validate", ["none", "active", "backup", "all", "filter", "filter_active", "filter_backup"]],
  ["arp_all_targets", ["any", "all"]],
  ["primary_reselect", ["always", "better", "failure"]],
  ["fail_over_mac", ["none", "active", "follow"]],
  ["xmit_hash_policy", ["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"]],
  ["resend_igmp", byte],
  ["num_grat_arp", byte],
  ["all_slaves_active", onOff],
  ["min_links", anyInt],
  ["lp_interval", { from: 1, to: maxInt }],
  ["packets_per_slave", { from: 0, to: 65_535 }],
  ["lacp_active", onOff],
  ["lacp_rate", ["slow", "fast"]],
  ["ad_select", ["stable", "bandwidth", "count"]],
  ["ad_actor_sys_prio", { from: 1, to: 65_535 }],
  ["ad_user_port_key", { from: 0, to: 1023 }],
  ["ad_actor_system", "mac"],
  ["tlb_dynamic_lb", onOff],
  ["arp_missed_max", { from: 1, to: 255 }],
  ["coupled_control", onOff],
  ["primary", "port"],
  ["active_slave", "port"],
]);

const ALIASES: ReadonlyMap<string, string> = new Map([
  ["num_unsol_na", "num_grat_arp"],
  ["num_peer_notif", "num_grat_arp"],
  ["all_ports_active", "all_slaves_active"],
  ["packets_per_port", "packets_per_slave"],
  ["active_port", "active_slave"],
]);
