/** How the network's words are read: each adds to what those before have said. */

import { switchValue } from "../boot/cmdline/switch-word.ts";
import { readSeconds } from "../lib/seconds.ts";
import { parseIp } from "./ip-word.ts";
import type { Parsed } from "./parsed.ts";
import type { InterfaceWish, LinkRef, NetworkSettings, NetworkTimeouts } from "./types.ts";

/** What the words before have said. */
export interface Draft extends Omit<NetworkSettings, "isAskedFor" | "isWaitedFor" | "isOff" | "bootLink"> {
  /** rd.neednet=, when it was said. */
  readonly isNeeded: boolean | undefined;
  /** Whether there was an ip= that is not off. */
  readonly hasIp: boolean;
  readonly hasOff: boolean;
  readonly bootdev: LinkRef | undefined;
  readonly bootif: LinkRef | undefined;
  readonly usesBootif: boolean;
  readonly interfaces: readonly InterfaceWish[];
}

/** What a word adds. */
export interface Said {
  readonly draft?: Partial<Draft>;
  /** Why it is ignored: a sentence. */
  readonly ignored?: string;
  /** What comes of that, in the place of the usage: a sentence. */
  readonly instead?: string;
  /** What of it is not as it was written: sentences. */
  readonly problems?: readonly string[];
}

/** A row of the table. */
export interface Parameter {
  readonly name: string;
  readonly usage: string;
  readonly meaning: string;
  /** Missing for a further form of the row above. */
  readonly read?: (value: string | undefined, draft: Draft) => Said;
}

/** One ip=, which adds a wish, or says that there is to be none. */
export function readIp(value: string | undefined, draft: Draft): Said {
  if (value === undefined) return { ignored: "it needs a value." };
  const { wish, problems } = parseIp(value);
  if (wish !== undefined) {
    // What leaves an interface alone asks for nothing.
    const hasIp = draft.hasIp || wish.methods.length + wish.addresses.length > 0;
    return { draft: { hasIp, interfaces: [...draft.interfaces, wish] }, problems };
  }
  const [problem] = problems;
  if (problem === undefined) return { draft: { hasOff: true } };
  // The machine is to have a network: one that works by DHCP is better than none.
  return {
    draft: { hasIp: true },
    ignored: problem,
    instead: "DHCP is asked, unless another ip= says what to do.",
  };
}

/** Option 60 of DHCP. */
export function readVendorClass(value: string | undefined, { dhcp }: Draft): Said {
  if (value === undefined || value === "" || value.length > 255)
    return { ignored: "it has to be a text of 1 to 255 bytes." };
  return { draft: { dhcp: { ...dhcp, vendorClass: value } } };
}

/** The row of a time. */
export function timeout(key: keyof NetworkTimeouts, name: string, meaning: string): Parameter {
  return {
    name,
    usage: `${name}=SECONDS`,
    meaning,
    read: withValue((value, { timeouts }) => {
      const timeout_ms = readSeconds(value);
      return typeof timeout_ms === "string"
        ? { ignored: timeout_ms }
        : { draft: { timeouts: { ...timeouts, [key]: timeout_ms } } };
    }),
  };
}

/** For what is on or off; bare it is on. */
export function readSwitch(said: (on: boolean) => Partial<Draft>): Parameter["read"] & {} {
  return (value) => {
    const on = value === undefined || value === "" || switchValue(value);
    return on === undefined ? { ignored: "it is neither 0 nor 1." } : { draft: said(on) };
  };
}

/** For what makes no sense without a value. */
export function withValue(read: (value: string, draft: Draft) => Said): Parameter["read"] & {} {
  return (value, draft) =>
    value === undefined || value === "" ? { ignored: "it needs a value." } : read(value, draft);
}

/** What comes of a value that describes something, or of one that does not. */
export function added<T>(parsed: Parsed<T>, add: (made: T) => Partial<Draft>): Said {
  return typeof parsed === "string"
    ? { ignored: parsed }
    : { draft: add(parsed.made), problems: parsed.problems };
}

/** Without what has the name of `one`: a later word takes the place of an earlier one. */
export function without<T extends { readonly name: string }>(list: readonly T[], one: T): T[] {
  return list.filter(({ name }) => name !== one.name);
}
