/** A root that is elsewhere, when it is named: disks are attached, filesystems are mounted. A chunk of its own (boot/parts.ts). */

import { readTextIfThere } from "../../../syscalls/index.ts";
import { UserError } from "../../lib/errors.ts";
import { readNetworkSettings } from "../../network/settings.ts";
import type { Boot } from "../context.ts";
import { planMount } from "../root.ts";
import { completeNfs, rootOfLease } from "./dhcp-root.ts";
import { attachDisks } from "./disks.ts";
import { firmwareDisks } from "./firmware.ts";
import { describeNetRoot } from "./forms.ts";
import { findAddress } from "./lookup.ts";
import type { NetMeans } from "./means.ts";
import { type NamedRoot, isDisk, reasonForNetwork } from "./netroot.ts";
import type { NetworkAccess } from "./network.ts";
import { mountNfs } from "./nfs.ts";
import type { NetRootSettings } from "./settings.ts";
import { mountShare } from "./share.ts";
import type { NbdDisk, NfsRoot, ShareRoot } from "./types.ts";

/**
 * Brings up what leads to the root, and attaches all disks that are named. The root; undefined when root= names a device of
 * the machine.
 * @throws UserError
 */
export async function bringUp(
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
export async function mountElsewhere(
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

// The kernel has this for a machine without a name (init/version.c).
function hostname({ sys }: Boot): string | undefined {
  const name = readTextIfThere(sys, "/proc/sys/kernel/hostname")?.trim();
  return name === "" || name === "(none)" ? undefined : name;
}
