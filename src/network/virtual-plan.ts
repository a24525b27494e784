/** Bonds, bridges and VLANs in an order in which they can be made. */

import { text } from "../lib/bytes.ts";
import { findLink, type PresentLink } from "./find-link.ts";
import { showLink } from "./link-names.ts";
import type { BondOption, LinkRef, NetworkSettings } from "./types.ts";

/** A link to be made, of links that are there or made before it. */
export type Make =
  | {
      readonly kind: "bond";
      readonly name: string;
      readonly ports: readonly string[];
      readonly options: readonly BondOption[];
      readonly mtu: number | undefined;
      readonly isThere: boolean;
    }
  | {
      readonly kind: "bridge";
      readonly name: string;
      readonly ports: readonly string[];
      readonly isThere: boolean;
    }
  | {
      readonly kind: "vlan";
      readonly name: string;
      readonly id: number;
      readonly over: string;
      readonly isThere: boolean;
    };

export interface VirtualPlan {
  /** Each behind those that it needs. What has no port yet is left out. */
  readonly makes: readonly Make[];
  /** The same as links. */
  readonly made: readonly PresentLink[];
  /** The links that others are made of: nothing is configured there unless it is named. */
  readonly parts: ReadonlySet<string>;
  /** Ports, and links below a VLAN, that are not there. */
  readonly missing: readonly LinkRef[];
  readonly problems: readonly string[];
}

/** Plans for these links, renamed already. Never throws. */
export function planVirtual(settings: NetworkSettings, links: readonly PresentLink[]): VirtualPlan {
  const { wishes, problems } = collect(settings);
  const makes: Make[] = [];
  const made: PresentLink[] = [];
  const missing: LinkRef[] = [];
  const masters = new Map<string, string>();
  const parts = new Set<string>();
  const { order, loops } = inOrder(wishes);
  for (const loop of loops) problems.push(`${loop} is not made: it would be a part of itself.`);
  for (const wish of order) {
    const there = [...links.filter(({ name }) => made.every((one) => one.name !== name)), ...made];
    const below: string[] = [];
    for (const ref of belowOf(wish)) {
      const name = findLink(ref, there, settings.names)?.name;
      const isMade = wishes.some((one) => one.name === showLink(ref));
      const master = name === undefined ? undefined : masters.get(name);
      if (name === undefined) {
        if (!isMade) missing.push(ref);
      } else if (wish.kind !== "vlan" && master !== undefined) {
        problems.push(`${text(name)} is not taken into ${wish.name}: it is a port of ${master} already.`);
      } else {
        below.push(name);
        parts.add(name);
        if (wish.kind !== "vlan") masters.set(name, wish.name);
      }
    }
    const [first] = below;
    if (first === undefined) continue;
    makes.push(
      makeOf(
        wish,
        below,
        first,
        links.some(({ name }) => name === wish.name),
      ),
    );
    made.push(linkOf(wish.name, links));
  }
  return { makes, made, parts, missing, problems };
}

type Wish =
  | ({ readonly kind: "bond" } & NetworkSettings["bonds"][number])
  | ({ readonly kind: "bridge" } & NetworkSettings["bridges"][number])
  | ({ readonly kind: "vlan" } & NetworkSettings["vlans"][number]);

// A name can be made once.
function collect({ bonds, bridges, vlans }: NetworkSettings): { wishes: Wish[]; problems: string[] } {
  const wishes: Wish[] = [];
  const problems: string[] = [];
  const all: readonly Wish[] = [
    ...bonds.map((bond) => ({ kind: "bond" as const, ...bond })),
    ...bridges.map((bridge) => ({ kind: "bridge" as const, ...bridge })),
    ...vlans.map((vlan) => ({ kind: "vlan" as const, ...vlan })),
  ];
  for (const wish of all) {
    const other = wishes.find(({ name }) => name === wish.name);
    if (other === undefined) wishes.push(wish);
    else problems.push(`${text(wish.name)} can't be a ${shown(wish)}: it is a ${shown(other)} already.`);
  }
  return { wishes, problems };
}

function shown({ kind }: Wish): string {
  return kind === "vlan" ? "VLAN" : kind;
}

function belowOf(wish: Wish): readonly LinkRef[] {
  return wish.kind === "vlan" ? [wish.over] : wish.ports;
}

// Each behind all that it is made of; what is made of itself, over others or not, is in no order.
function inOrder(wishes: readonly Wish[]): { order: Wish[]; loops: string[] } {
  const order: Wish[] = [];
  let rest = wishes;
  for (;;) {
    const names = new Set(rest.map(({ name }) => name));
    const ready = rest.filter((wish) => !belowOf(wish).some((ref) => names.has(showLink(ref))));
    if (ready.length === 0) return { order, loops: rest.map(({ name }) => text(name)) };
    order.push(...ready);
    rest = rest.filter((wish) => !ready.includes(wish));
  }
}

function makeOf(wish: Wish, below: readonly string[], first: string, isThere: boolean): Make {
  if (wish.kind === "vlan") return { kind: "vlan", name: wish.name, id: wish.id, over: first, isThere };
  if (wish.kind === "bridge") return { kind: "bridge", name: wish.name, ports: below, isThere };
  return { kind: "bond", name: wish.name, ports: below, options: wish.options, mtu: wish.mtu, isThere };
}

function linkOf(name: string, links: readonly PresentLink[]): PresentLink {
  const there = links.find((link) => link.name === name);
  const unmade = { name, mac: "", permanentMac: "", isEthernet: true, hasCarrier: false, otherNames: [] };
  return { ...(there ?? unmade), isVirtual: true };
}
