/** A root that is elsewhere, or not: what names it, and whether it needs the network. What acts is loaded when one is named. */

import { UserError } from "../../lib/errors.ts";
import type { Boot } from "../context.ts";
import type { DeviceRef } from "../devices/deviceref.ts";
import { startedFrom } from "../handover/oldroot.ts";
import { hasHooks } from "../hooks.ts";
import { parts } from "../parts.ts";
import { chooseRoot } from "../root.ts";
import { describeNetRoot } from "./forms.ts";
import type { NetMeans } from "./means.ts";
import type { NetworkAccess } from "./network.ts";
import { type NetRootSettings, readNetRootSettings } from "./settings.ts";
import { isOverNetwork, shareOptions } from "./share-options.ts";
import type { NetDisk, NetRoot, NfsRoot, ShareRoot } from "./types.ts";

/** What the root is, once all that leads there is known; hooks of mount have it when it is neither of these. */
export interface NamedRoot {
  /** A device of the machine, or a disk that has been attached. */
  readonly device?: DeviceRef;
  /** A filesystem that is mounted by mountNetRoot(). */
  readonly elsewhere?: NfsRoot | ShareRoot;
  /** With the options for mounting it that its own name has. */
  readonly boot: Boot;
}

/**
 * True when root= asks for no disk, as far as is known before the network is up: the root is a filesystem elsewhere, or
 * the DHCP server will name it. nameRoot() tells the layers when that turns out to be a disk.
 */
export function asksForNoDisk({ words }: Boot): boolean {
  const { root } = readNetRootSettings(words).settings;
  return root !== undefined && !isDisk(root);
}

/** Begins to bring the network up when the root needs it, so that it comes up while other things are done. */
export function startNetwork({ words, options }: Boot, network: NetworkAccess): void {
  const { settings } = readNetRootSettings(words);
  const why = reasonForNetwork(settings, options.rootFlags);
  if (why !== undefined) network.start(why);
}

/**
 * What root= names. Attaches the disks that it, netroot= and rd.iscsi.target.name= name.
 * @throws UserError when it names nothing or makes no sense, or when what leads there does not come up
 */
export async function nameRoot(means: NetMeans, network: NetworkAccess): Promise<NamedRoot> {
  const { boot } = means;
  const { settings } = readNetRootSettings(boot.words);
  if (settings.problem !== undefined) throw new UserError(`root= makes no sense: ${settings.problem}`);
  if (settings.root !== undefined || reasonForNetwork(settings, boot.options.rootFlags) !== undefined) {
    const { bringUp } = await parts.elsewhere();
    const root = await bringUp(means, network, settings);
    if (root !== undefined) return root;
  }
  const chosen = chooseRoot(boot.options.root, hasHooks(boot, "mount"), startedFrom(boot.sys));
  return chosen === "left to hooks" ? { boot } : { boot, device: chosen };
}

/**
 * Mounts a filesystem that is elsewhere on `target`, as the root.
 * @throws UserError
 */
export async function mountNetRoot(
  means: NetMeans,
  network: NetworkAccess,
  root: NfsRoot | ShareRoot,
  target: string,
): Promise<void> {
  const { mountElsewhere } = await parts.elsewhere();
  await mountElsewhere(means, network, root, target);
}

/** Why the network is needed, as it fits behind "for"; undefined when it is not. */
export function reasonForNetwork(
  { root, disks, dhcp, iscsi }: NetRootSettings,
  rootFlags: string,
): string | undefined {
  if (root !== undefined && needsNetwork(root, rootFlags)) return `root=${describeNetRoot(root)}`;
  if (disks[0] !== undefined) return `netroot=${describeNetRoot(disks[0])}`;
  if (iscsi.firmware) return "rd.iscsi.firmware";
  return dhcp ? "netroot=dhcp" : undefined;
}

function needsNetwork(root: NetRoot, rootFlags: string): boolean {
  if (root.kind === "virtiofs" || root.kind === "9p")
    return isOverNetwork(root.kind, shareOptions(root.kind, rootFlags));
  return true;
}

/** True for a root that is a disk of the network, and not a filesystem there. */
export function isDisk(root: NetRoot): root is NetDisk {
  return root.kind === "nbd" || root.kind === "iscsi";
}
