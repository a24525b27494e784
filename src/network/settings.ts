/** The parameters of the network: dracut.cmdline(7), section Network, and nfsroot.rst of the kernel. */

import { type Word, sameName } from "../boot/cmdline/cmdline.ts";
import { firmwareParameter } from "../boot/netroot/parameters.ts";
import { readSwitchWord } from "../boot/cmdline/switch-word.ts";
import { text } from "../lib/bytes.ts";
import { nothing } from "./ip-word.ts";
import { mergeWishes } from "./merge.ts";
import { networkParameters } from "./parameters.ts";
import type { Draft } from "./readers.ts";
import type { NetworkSettings } from "./types.ts";

export { networkParameters };

/** What the words say of the network, and a sentence for each that could not be used, or not wholly. */
export function readNetworkSettings(words: readonly Word[]): {
  settings: NetworkSettings;
  complaints: string[];
} {
  let draft = beginning;
  const complaints: string[] = [];
  for (const { name, value } of words) {
    const parameter = networkParameters.find((known) => sameName(known.name, name));
    if (parameter?.read === undefined) continue;
    const { draft: said, ignored, instead, problems = [] } = parameter.read(value, draft);
    draft = { ...draft, ...said };
    const word = text(value === undefined ? name : `${name}=${value}`);
    if (ignored !== undefined)
      complaints.push(`${word} is ignored: ${ignored} ${instead ?? `Usage: ${parameter.usage}.`}`);
    complaints.push(...problems.map((problem) => `${word}: ${problem}`));
  }
  // Complaints about it are those of who attaches the disks.
  const { on } = readSwitchWord(words, firmwareParameter, false);
  if (on && draft.interfaces.length === 0 && !draft.hasOff)
    draft = { ...draft, interfaces: [{ ...nothing, methods: ["ibft"] }] };
  return { settings: settingsOf(draft), complaints };
}

function settingsOf(draft: Draft): NetworkSettings {
  const { isNeeded, hasIp, hasOff, bootdev, bootif, usesBootif, interfaces, ...rest } = draft;
  return {
    ...rest,
    isAskedFor: isNeeded ?? hasIp,
    isWaitedFor: isNeeded === true,
    isOff: hasOff && !hasIp,
    interfaces: mergeWishes(interfaces),
    // What a person says is stronger than what the firmware has done.
    bootLink: bootdev ?? (usesBootif ? bootif : undefined),
  };
}

// The times are those of dracut.cmdline(7); that of DHCP, which it leaves to dhclient(8), is dhclient's.
const beginning: Draft = {
  isNeeded: undefined,
  hasIp: false,
  hasOff: false,
  bootdev: undefined,
  bootif: undefined,
  usesBootif: true,
  interfaces: [],
  bonds: [],
  bridges: [],
  vlans: [],
  names: [],
  routes: [],
  nameservers: [],
  peerDns: true,
  timeouts: {
    link_ms: 60_000,
    up_ms: 20_000,
    carrier_ms: 10_000,
    dhcp_ms: 60_000,
    dad_ms: 50_000,
    auto6_ms: 40_000,
    route_ms: 20_000,
  },
  dhcp: { tries: 1, vendorClass: undefined },
};
