/** The ways in which a root comes to be mounted: by a hook, from elsewhere, as a live system, or from a device. */

import { UserError } from "../lib/errors.ts";
import type { BlockDevice } from "./devices/blockdevice.ts";
import { type Boot, newRoot } from "./context.ts";
import { mayHoldBack } from "./drivers/hold-drivers.ts";
import { hasHooks, runHooks } from "./hooks.ts";
import type { KernelModules } from "./drivers/kmodules.ts";
import { readLiveSettings } from "./live/settings.ts";
import { isMountPoint } from "./mount/mounts.ts";
import type { NetMeans } from "./netroot/means.ts";
import { type NamedRoot, mountNetRoot, nameRoot } from "./netroot/netroot.ts";
import type { NetworkAccess } from "./netroot/network.ts";
import { parts } from "./parts.ts";
import { findRoot, makeMountPoint, makeRootReady, mountRoot } from "./root.ts";
import type { Storage } from "./storage/storage.ts";

/** What mounting a root takes. */
export interface RootMeans extends NetMeans {
  readonly modules: KernelModules;
  readonly network: NetworkAccess;
  readonly layers: Storage;
}

/** A whole system in memory needs no root, but a hook, or a person at the shell of rd.break=, may mount one all the same. */
export async function letHooksMount(boot: Boot): Promise<undefined> {
  const points = ["pre-mount", "mount"] as const;
  if (!points.some((point) => hasHooks(boot, point) || boot.options.breakAt.includes(point))) return;
  makeMountPoint(boot.sys, newRoot);
  for (const point of points) await runHooks(boot, point);
}

/**
 * Mounts the root, or lets a hook do it. Returns the node of its device, when it is one and was looked for.
 * @throws UserError when there is no root, or it can't be mounted
 */
export async function mountTheRoot(means: RootMeans): Promise<string | undefined> {
  const { boot, devices, layers, network, modules } = means;
  const { sys, log, options, timing } = boot;
  if (isMountPoint(sys, newRoot)) {
    log.notice(`${newRoot} is mounted already and is taken as the root.`);
    return undefined;
  }
  const named = await timing.step("naming the root", () => nameRoot(means, network));
  if (options.rootDelay_ms > 0) {
    log.notice(`waiting ${options.rootDelay_ms / 1000} s, as rootdelay= asks.`);
    await timing.step("rootdelay", () => Bun.sleep(options.rootDelay_ms));
  }
  const { iso } = readLiveSettings(boot.words).settings;
  if (iso !== undefined) {
    const { findIso } = await parts.live();
    await timing.step("looking for the image of a disc", () => findIso({ ...means, boot: named.boot }, iso));
  }
  const { device: wanted } = named;
  const find = () => wanted && findRoot(named.boot, devices, layers, wanted);
  const device = wanted && (await timing.step("looking for the root", find));
  if (device !== undefined && mayHoldBack(boot)) modules.holdBack();
  makeMountPoint(sys, newRoot);
  await runHooks(boot, "pre-mount", device?.node);
  await runHooks(boot, "mount", device?.node);
  if (!isMountPoint(sys, newRoot)) return mountNamed({ ...means, boot: named.boot }, named, device);
  log.info(`${newRoot} was mounted by a hook and is taken as the root.`);
  return device?.node;
}

/** Mounts what root= names, its device found. Returns the node of what was mounted, when it is a device. */
async function mountNamed(
  means: RootMeans,
  { elsewhere }: NamedRoot,
  device: BlockDevice | undefined,
): Promise<string | undefined> {
  const { boot, devices, layers, network, modules } = means;
  const { timing, words } = boot;
  if (elsewhere !== undefined) {
    const mount = () => mountNetRoot(means, network, elsewhere, newRoot);
    await timing.step("mounting the root from elsewhere", mount);
    return undefined;
  }
  if (device === undefined)
    throw new UserError(`No hook has mounted the root on ${newRoot}, and root= names no block device.`);
  if (readLiveSettings(words).settings.live) {
    const { mountLive } = await parts.live();
    await timing.step("mounting the live root", () => mountLive(means, device, newRoot));
    return device.node;
  }
  const loadFilesystem = (type: string): Promise<void> => modules.loadFilesystem(type);
  const check = () => makeRootReady(boot, devices, layers, device, loadFilesystem);
  const ready = await timing.step("checking the root", check);
  await timing.step("mounting the root", () => mountRoot(boot, ready, newRoot, loadFilesystem));
  return ready.node;
}
