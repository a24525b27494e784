/** A root that is elsewhere: the network is brought up for it, disks are attached, filesystems are mounted. */

import { readTextIfThere } from "../../../syscalls/index.ts";
import { UserError } from "../../lib/errors.ts";
import { readNetworkSettings } from "../../network/settings.ts";
import type { Boot } from "../context.ts";
import type { DeviceRef } from "../deviceref.ts";
import { startedFrom } from "../handover/oldroot.ts";
import { hasHooks } from "../hooks.ts";
import { chooseRoot, planMount } from "../root.ts";
import { completeNfs, rootOfLease } from "./dhcp-root.ts";
import { attachDisks } from "./disks.ts";
import { describeNetRoot } from "./forms.ts";
import { firmwareDisks } from "./firmware.ts";
import type { NetMeans } from "./means.ts";
import type { NetworkAccess } from "./network.ts";
import { mountNfs } from "./nfs.ts";
import { findAddress } from "./lookup.ts";
import { type NetRootSettings, readNetRootSettings } from "./settings.ts";
import { isOverNetwork, mountShare, shareOptions } from "./share.ts";
import type { NbdDisk, NetDisk, NetRoot, NfsRoot, ShareRoot } from "./types.ts";

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
  const root = await bringUp(means, network, settings);
  if (root !== undefined) return root;
  const chosen = chooseRoot(boot.options.root, hasHooks(boot, "mount"), startedFrom(boot.sys));
  return chosen === "left to hooks" ? { boot } : { boot, device: chosen };
}

/** The root elsewhere; undefined when root= names a device of the machine. */
async function bringUp(
  means: NetMeans,
  network: NetworkAccess,
  settings: NetRootSettings,
): Promise<NamedRoot | undefined> {
  const { boot, layers } = means;
  const facts =
    reasonForNetwork(settings, boot.options.rootFlags) === undefined ? undefined : await network.up();
  const named =
    facts !== undefined && settings.dhcp ? rootOfLease(facts, settings.iscsi.context.iscsi) : undefined;
  const root = settings.root?.kind === "dhcp" ? named : settings.root;
  if (named !== undefined && root !== named && !isDisk(named))
    throw new UserError(
      `The DHCP server names ${describeNetRoot(named)} as the root, and root= another one.`,
      "Take root= or netroot=dhcp away.",
    );
  const firmware = facts === undefined ? [] : await firmwareDisks(means, settings.iscsi);
  const disks = new Set(
    [...settings.disks, ...firmware, root, named].filter((one) => one !== undefined).filter(isDisk),
  );
  const places = facts === undefined ? undefined : await attachDisks(means, disks, network, settings.iscsi);
  if (root === undefined) return undefined;
  if (!isDisk(root)) return { boot, elsewhere: root };
  const device = places?.get(root);
  if (device === undefined) return undefined;
  layers.need?.(device);
  return { boot: root.kind === "nbd" ? withOptions(boot, root) : boot, device };
}

function withOptions(boot: Boot, { type, flags }: NbdDisk): Boot {
  const { options } = boot;
  const rootTypes = type === undefined ? options.rootTypes : [type];
  const rootFlags = [flags ?? "", options.rootFlags].filter((list) => list !== "").join(",");
  return { ...boot, options: { ...options, rootTypes, rootFlags } };
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
  if (root.kind !== "nfs") return mountShare(means, root, target);
  const { boot } = means;
  const facts = await network.up();
  const { interfaces } = readNetworkSettings(boot.words).settings;
  const server = interfaces.map((wish) => wish.server).find((one) => one !== undefined);
  const whole = completeNfs(root, facts, { hostname: hostname(boot), server });
  const rootFlags = [whole.options, boot.options.rootFlags].filter((list) => list !== "").join(",");
  const { flags, data } = planMount({ ...boot.options, rootFlags }, boot.words);
  const address = await findAddress(boot, whole.server, network);
  await mountNfs(means, { ...whole, address, flags, options: data, target });
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

function isDisk(root: NetRoot): root is NetDisk {
  return root.kind === "nbd" || root.kind === "iscsi";
}

// The kernel has this for a machine without a name (init/version.c).
function hostname({ sys }: Boot): string | undefined {
  const name = readTextIfThere(sys, "/proc/sys/kernel/hostname")?.trim();
  return name === "" || name === "(none)" ? undefined : name;
}
