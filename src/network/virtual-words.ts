/** Interfaces that are made or renamed: vlan=, bond=, bridge=, ifname= of dracut.cmdline(7). */

import { text } from "../lib/bytes.ts";
import { parseBondOptions } from "./bond-options.ts";
import { splitFields, splitListFields } from "./fields.ts";
import { readMtu } from "./ip-word.ts";
import { isLinkName, normalMac, parseLink, showLink } from "./link-names.ts";
import type { Parsed } from "./parsed.ts";
import type { BondWish, BridgeWish, LinkRef, NameWish, VlanWish } from "./types.ts";

/** NAME:MAC. */
export function parseName(value: string): Parsed<NameWish> {
  const colon = value.indexOf(":");
  if (colon < 0) return "it has to be a name and a MAC address with : between them.";
  const name = value.slice(0, colon);
  const mac = normalMac(value.slice(colon + 1));
  if (!isLinkName(name)) return notAName(name);
  if (mac === undefined) return "it has to hold a MAC address behind the name.";
  return { made: { name, mac }, problems: [] };
}

/** NAME:INTERFACE; the number of the VLAN is at the end of its name, with zeros in front or without. */
export function parseVlan(value: string): Parsed<VlanWish> {
  const [name = "", interfaceName = "", ...more] = splitFields(value) ?? [];
  if (more.length > 0) return "it has to have two fields.";
  if (!isLinkName(name)) return notAName(name);
  const digits = /^.*?[^0-9](\d+)$/.exec(name)?.[1];
  const id = Number(digits);
  if (digits === undefined || id < 1 || id > 4094)
    return `"${text(name)}" does not end in the number of a VLAN, 1 to 4094.`;
  const over = parseLink(interfaceName);
  if (over === undefined) return notAName(interfaceName);
  if (showLink(over) === name) return "a VLAN can't run over itself.";
  return { made: { name, id, over }, problems: [] };
}

/** [NAME[:INTERFACE,…[:OPTION=VALUE,…[:MTU]]]] */
export function parseBond(value: string): Parsed<BondWish> {
  const [first = "", portList = "", optionList = "", mtuField = "", ...more] = splitListFields(value);
  const name = first === "" ? "bond0" : first;
  if (!isLinkName(name)) return notAName(name);
  if (more.length > 0) return "it has more than four fields.";
  const ports = parsePorts(portList === "" ? "eth0,eth1" : portList, name);
  if (typeof ports === "string") return ports;
  const { options, problems } = parseBondOptions(optionList);
  const mtuProblems: string[] = [];
  const mtu = readMtu(mtuField, mtuProblems);
  return { made: { name, ports, options, mtu }, problems: [...problems, ...mtuProblems] };
}

/** [NAME:INTERFACE,…] */
export function parseBridge(value: string): Parsed<BridgeWish> {
  const [name = "", portList = "", ...more] = value === "" ? ["br0", "eth0"] : splitListFields(value);
  if (!isLinkName(name)) return notAName(name);
  if (more.length > 0) return "it has to have two fields.";
  const ports = parsePorts(portList, name);
  return typeof ports === "string" ? ports : { made: { name, ports }, problems: [] };
}

function parsePorts(list: string, name: string): LinkRef[] | string {
  const ports: LinkRef[] = [];
  for (const word of list.split(",").filter((one) => one !== "")) {
    const port = parseLink(word);
    if (port === undefined) return notAName(word);
    if (showLink(port) === name) return `"${text(name)}" can't be a port of itself.`;
    if (!ports.some((one) => showLink(one) === showLink(port))) ports.push(port);
  }
  return ports.length === 0 ? "it names no interface." : ports;
}

function notAName(name: string): string {
  return `"${text(name)}" can't be the name of an interface.`;
}
