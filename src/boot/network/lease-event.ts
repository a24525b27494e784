/** What udhcpc does, as the script that it calls tells process 1: a line for each variable, with others before and behind. */

import { parseLease } from "../../network/lease.ts";
import type { Lease } from "../../network/types.ts";

export type LeaseEvent =
  /** A lease is there, for the first time or again. */
  | { readonly kind: "lease"; readonly lease: Lease }
  /** There is none, or no more. */
  | { readonly kind: "deconfig" }
  /** Nobody answers, or the server refuses: its words, or "". */
  | { readonly kind: "none"; readonly why: string };

/** Puts the script's lines together again. */
export class LeaseLines {
  private event = "";
  private readonly values = new Map<string, string>();

  /** Takes a line of udhcpc's output; what it completes. Never throws. */
  push(line: string): LeaseEvent | "more" | undefined {
    if (!line.startsWith(MARK)) return undefined;
    const said = line.slice(MARK.length);
    const equals = said.indexOf("=");
    if (equals > 0) this.values.set(said.slice(0, equals), said.slice(equals + 1));
    else if (said !== "end") {
      this.values.clear();
      this.event = said;
    } else return this.complete();
    return "more";
  }

  private complete(): LeaseEvent {
    if (this.event === "deconfig") return { kind: "deconfig" };
    const lease = this.event === "bound" || this.event === "renew" ? parseLease(this.values) : undefined;
    return lease === undefined
      ? { kind: "none", why: this.values.get("message") ?? "" }
      : { kind: "lease", lease };
  }
}

const MARK = "rdinit-lease ";

/** What parseLease() reads, and the words of a server that refuses. */
const variables = [
  ...[
    "ip",
    "subnet",
    "router",
    "routes",
    "staticroutes",
    "msstaticroutes",
    "dns",
    "domain",
    "search",
    "hostname",
  ],
  ...["ntpsrv", "mtu", "lease", "serverid", "siaddr", "rootpath", "message"],
];

/** The script for `udhcpc -s`. It needs `shell`, a path that may have an argument behind it, and nothing else. */
export function leaseScript(shell: string): string {
  return `#!${shell}
printf '${MARK}%s\\n' "$1" ${variables.map((name) => `"${name}=$${name}"`).join(" ")} end
`;
}
