/** From what is wished and the links that there are: what to rename, to make, to configure, and what is missing. */

import { findLink, type PresentLink } from "./find-link.ts";
import { nothing } from "./ip-word.ts";
import { showLink } from "./link-names.ts";
import { mergeWishes } from "./merge.ts";
import type { InterfaceWish, LinkRef, Method, NetworkSettings } from "./types.ts";
import { type Rename, planRenames } from "./rename-plan.ts";
import { type Make, planVirtual } from "./virtual-plan.ts";

/** Names in it are those that links have when the renaming is done. */
export interface NetworkPlan {
  /** Links to be renamed, one after the other, before anything else. */
  readonly renames: readonly Rename[];
  /** Links to be made, unless they are there already, each behind those that it needs. */
  readonly makes: readonly Make[];
  readonly configures: readonly Configure[];
  /** What is named and not there: to be waited for. */
  readonly missing: readonly LinkRef[];
  /** True when any card will do, and there is none. */
  readonly lacksCard: boolean;
  /** The interface that the root is reached by; undefined when none is named or it is missing. */
  readonly bootLink: string | undefined;
  /** Sentences about what can't be done as it is wished. */
  readonly problems: readonly string[];
}

/** A link, and what is wished of it. */
export interface Configure {
  readonly name: string;
  readonly wish: InterfaceWish;
  /** True when the network is up only with it; of all others one is enough. */
  readonly isRequired: boolean;
}

/**
 * The plan for these links; to be made again when a link appears or goes. Without an ip= it asks DHCP. Where an ip=
 * names no interface, it is the boot interface; or without one what is made of others and is no part of another; or
 * every card that nothing else is wished of. A fixed address goes to one of them, best with a carrier; bring-up.ts has it
 * stay there.
 */
export function planNetwork(settings: NetworkSettings, links: readonly PresentLink[]): NetworkPlan {
  const { renames, named, problems } = planRenames(settings, links);
  const virtual = planVirtual(settings, named);
  // What will be made is there, for what is to be configured.
  const all = [...named, ...virtual.made.filter((made) => named.every(({ name }) => name !== made.name))];
  const find = (link: LinkRef): string | undefined => findLink(link, all, settings.names)?.name;
  const bootLink = settings.bootLink && find(settings.bootLink);
  const parts = { makes: virtual.makes, problems: [...problems, ...virtual.problems], renames, bootLink };
  if (settings.isOff)
    return { ...parts, makes: [], configures: [], missing: [], lacksCard: false, problems: [] };
  const wishes = settings.interfaces.filter((wish) => !isLeftAlone(wish));
  const wanted = wishes.length === 0 ? [byDhcp] : wishes;
  const own = wanted.flatMap((wish) => {
    const name = wish.link && find(wish.link);
    return name === undefined ? [] : [{ ...wish, link: { by: "name", name } as const }];
  });
  const configures = mergeWishes(own).map((wish) => ({
    name: wish.link?.by === "name" ? wish.link.name : "",
    wish,
    isRequired: true,
  }));
  const taken = new Set([
    ...configures.map(({ name }) => name),
    ...virtual.parts,
    ...settings.interfaces.filter(isLeftAlone).map(({ link }) => link && find(link)),
  ]);
  const anyone = wanted.find(({ link }) => link === undefined);
  const free = anyone === undefined ? [] : candidates(settings, all, virtual.makes, bootLink, taken);
  const missing = [
    ...wanted.flatMap(({ link }) => (link === undefined || find(link) !== undefined ? [] : [link])),
    ...virtual.missing,
    ...(anyone !== undefined && settings.bootLink !== undefined && bootLink === undefined
      ? [settings.bootLink]
      : []),
  ];
  return {
    ...parts,
    configures: [...configures, ...(anyone === undefined ? [] : configureAny(anyone, free))],
    missing: missing.filter(
      (link, at) => missing.findIndex((one) => showLink(one) === showLink(link)) === at,
    ),
    lacksCard: anyone !== undefined && free.length === 0 && configures.length === 0,
  };
}

/** The modules of the kernel that the plan needs besides those of cards. */
export function networkModules({ bonds, bridges, vlans, interfaces, routes }: NetworkSettings): string[] {
  return [
    ...(bonds.length > 0 ? ["bonding"] : []),
    ...(bridges.length > 0 ? ["bridge"] : []),
    ...(vlans.length > 0 ? ["8021q"] : []),
    ...(interfaces.some(wants6) || routes.some(({ family }) => family === 6) ? ["ipv6"] : []),
  ];
}

function wants6({ methods, addresses }: InterfaceWish): boolean {
  return methods.some((method) => METHODS_OF_6.has(method)) || addresses.some(({ family }) => family === 6);
}

// The firmware's table may hold IPv6 as well.
const METHODS_OF_6: ReadonlySet<Method> = new Set([
  "dhcp6",
  "auto6",
  "either6",
  "link6",
  "link-local",
  "ibft",
]);
const byDhcp: InterfaceWish = { ...nothing, methods: ["dhcp"] };

function isLeftAlone({ methods, addresses }: InterfaceWish): boolean {
  return methods.length === 0 && addresses.length === 0;
}

function candidates(
  settings: NetworkSettings,
  links: readonly PresentLink[],
  makes: readonly Make[],
  bootLink: string | undefined,
  taken: ReadonlySet<string | undefined>,
): PresentLink[] {
  const free = links.filter(({ name }) => !taken.has(name));
  if (settings.bootLink !== undefined) return free.filter(({ name }) => name === bootLink);
  const made = free.filter(({ name }) => makes.some((make) => make.name === name));
  const hasVirtual = settings.bonds.length + settings.bridges.length + settings.vlans.length > 0;
  if (made.length > 0) return made;
  return hasVirtual ? [] : free.filter(({ isEthernet, isVirtual }) => isEthernet && !isVirtual);
}

function configureAny(wish: InterfaceWish, free: readonly PresentLink[]): Configure[] {
  if (wish.addresses.length === 0) return free.map(({ name }) => ({ name, wish, isRequired: false }));
  const one = free.find(({ hasCarrier }) => hasCarrier) ?? free[0];
  return one === undefined ? [] : [{ name: one.name, wish, isRequired: true }];
}
