/** Which links get other names, and in which order, as no two can have the same at any time. */

import { findLink, type PresentLink } from "./find-link.ts";
import type { NameWish, NetworkSettings } from "./types.ts";

export interface Rename {
  readonly from: string;
  readonly to: string;
}

/** The steps, the links with the names that they have then, and a sentence for each name that can't be given. */
export function planRenames(
  { names }: Pick<NetworkSettings, "names">,
  links: readonly PresentLink[],
): { renames: Rename[]; named: PresentLink[]; problems: string[] } {
  const { wanted, problems } = choose(names, links);
  const newNames = new Map(wanted.map(({ from, to }) => [from, to]));
  const inUse = new Set(links.map(({ name }) => name));
  // Whose new name is another's still has to wait under a name of its own.
  const first: Rename[] = [];
  const second: Rename[] = [];
  for (const [at, { from, to }] of wanted.entries()) {
    if (!inUse.has(to)) first.push({ from, to });
    else {
      const between = freeName(`rename${at}`, inUse);
      first.push({ from, to: between });
      second.push({ from: between, to });
    }
  }
  const named = links.map((link) => ({ ...link, name: newNames.get(link.name) ?? link.name }));
  return { renames: [...first, ...second], named, problems };
}

// A link gets one name, and keeps its own when the new one is that of a link that keeps it.
function choose(
  names: readonly NameWish[],
  links: readonly PresentLink[],
): { wanted: Rename[]; problems: string[] } {
  const cards = links.filter(({ isVirtual }) => !isVirtual);
  let wanted = names.flatMap(({ name, mac }) => {
    const card = findLink({ by: "mac", mac }, cards, []);
    return card === undefined || card.name === name ? [] : [{ from: card.name, to: name }];
  });
  const problems: string[] = [];
  for (;;) {
    const going = new Set(wanted.map(({ from }) => from));
    const blocked = wanted.find(({ to }) => !going.has(to) && links.some(({ name }) => name === to));
    if (blocked === undefined) return { wanted, problems };
    problems.push(`${blocked.from} is not renamed to ${blocked.to}: another interface has that name.`);
    wanted = wanted.filter((one) => one !== blocked);
  }
}

function freeName(name: string, inUse: ReadonlySet<string>): string {
  return inUse.has(name) ? freeName(`${name}x`, inUse) : name;
}
