/** Mounts what the real root needs besides itself before its init runs: /usr, and what fstab or the command line says. */

import {
  AT_FDCWD,
  MS_BIND,
  MS_REC,
  MS_REMOUNT,
  type Syscalls,
  readText,
  readTextIfThere,
} from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { type FstabEntry, parseFstab } from "../../storage/fstab.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";
import type { BlockDevices } from "../devices/blockdevices.ts";
import type { runChild } from "../children/children.ts";
import { type Boot, newRoot } from "../context.ts";
import { describeRef, parseDeviceRef } from "../devices/deviceref.ts";
import { findOpened } from "../devices/finddevice.ts";
import { type PlannedMount, planFstab, readFstabSettings } from "./fstab-plan.ts";
import { type LoadFilesystem, makeReady, mountDevice } from "./mountdevice.ts";
import { parseMountOptions } from "./mountoptions.ts";
import { mountPoints } from "../handover/moves.ts";
import { mountedAt } from "./mounted.ts";
import { mapOverlayPaths } from "./overlay-options.ts";
import { resolveInRoot } from "./resolve.ts";
import type { Layers } from "../storage/layer.ts";
import { sayIfSlow } from "../wait.ts";
import { waitForDevices } from "../devices/wait-devices.ts";

/**
 * Mounts them below `newRoot`, where the root is mounted. What is mounted there already stays as it is.
 * @throws UserError with the first that can't be mounted and whose line does not say nofail
 */
export async function mountFstab(
  boot: Boot,
  devices: BlockDevices,
  layers: Layers,
  loadFilesystem: LoadFilesystem,
  run?: typeof runChild,
): Promise<void> {
  const { sys, log } = boot;
  const { settings } = readFstabSettings(boot.words);
  if (!settings.automatic && settings.mounts.length === 0 && settings.usr === undefined) return;
  const real = readFstab(boot, newRoot);
  const { planned, complaints } = planFstab(real, readFstab(boot, "/"), settings);
  for (const complaint of complaints) log.warning(complaint);
  for (const mount of planned) {
    try {
      await mountOne({ boot, devices, layers, loadFilesystem, run }, mount);
    } catch (error) {
      if (!mount.mayFail) throw error;
      log.warning(`${describe(error)} The boot goes on, as fstab says nofail for ${text(mount.mountPoint)}.`);
    }
  }
  if (planned.length > 0)
    log.debug(`mounted: ${mountPoints(readText(sys, "/proc/self/mountinfo")).map(text).join(" ")}`);
}

interface Means {
  readonly boot: Boot;
  readonly devices: BlockDevices;
  readonly layers: Layers;
  readonly loadFilesystem: LoadFilesystem;
  readonly run: typeof runChild | undefined;
}

function readFstab({ sys, log }: Boot, root: string): readonly FstabEntry[] {
  try {
    const path = resolveInRoot(sys, root, "/etc/fstab");
    const { entries, notes } = parseFstab(path === undefined ? "" : (readTextIfThere(sys, path) ?? ""));
    for (const note of notes) log.debug(note);
    return entries;
  } catch (error) {
    log.warning(`the fstab of ${root} can't be read: ${describe(error)}.`);
    return [];
  }
}

async function mountOne(means: Means, mount: PlannedMount): Promise<void> {
  const { sys, log } = means.boot;
  const name = text(mount.mountPoint);
  const target = findDirectory(sys, mount.mountPoint);
  if (target === undefined)
    throw new UserError(
      `${name} can't be mounted: the root has no such directory.`,
      `Make it, or mark ${mount.from} nofail.`,
    );
  if (mountPoints(readText(sys, "/proc/self/mountinfo")).includes(target)) {
    log.debug(`${name} is mounted already`);
    return;
  }
  switch (mount.kind) {
    case "device":
      return mountFromDevice(means, mount, target);
    case "bind":
      return mountBind(means.boot, mount, target);
    case "overlay":
    case "virtual":
      return mountVirtual(means, mount, target);
    case "network":
      throw notHere(name, "it comes from the network");
    case "file":
      throw notHere(name, "it is in a file of another filesystem");
  }
}

function notHere(name: string, why: string): UserError {
  return new UserError(
    `${name} can't be mounted before the real init runs: ${why}.`,
    "Mark its line in /etc/fstab nofail, to leave it to the real init.",
  );
}

async function mountFromDevice(means: Means, mount: PlannedMount, target: string): Promise<void> {
  const { boot, devices, layers, loadFilesystem, run } = means;
  const found = await findFor(means, mount);
  const { flags, data } = parseMountOptions(mount.options);
  const { types, pass } = mount;
  const part = mount.mountPoint === "/usr" ? ("usr" as const) : undefined;
  const timeout_ms = timeoutOf(boot, mount);
  // A filesystem that is in use, another subvolume of the root's, must not be checked.
  const isInUse = mountedAt(boot.sys, found) !== undefined;
  const wish = { device: found, types, data, pass, part, timeout_ms, layers };
  const device = isInUse ? found : await makeReady(boot, devices, wish, loadFilesystem, run);
  const name = text(mount.mountPoint);
  const names = { title: `The filesystem for ${name},`, as: `on ${name}` };
  await mountDevice(boot, { ...names, device, target, types, flags, data }, loadFilesystem);
}

async function findFor({ boot, devices, layers }: Means, mount: PlannedMount): Promise<BlockDevice> {
  const name = text(mount.mountPoint);
  const ref = parseDeviceRef(mount.device);
  if (typeof ref === "string")
    throw new UserError(`${name} can't be mounted: ${ref}`, `Correct ${mount.from}.`);
  if ((await findOpened(boot.sys, devices, ref)) === undefined) layers.need?.(ref);
  const found = await waitForDevices(boot, devices, layers, {
    what: () => `${describeRef(ref)}, the device of ${name}`,
    look: () => findOpened(boot.sys, devices, ref),
    timeout_ms: timeoutOf(boot, mount),
  });
  if (found === undefined)
    throw new UserError(
      `The device of ${name}, ${describeRef(ref)}, did not appear.`,
      `Is ${mount.from} right? Mark it nofail to boot without it.`,
    );
  return found.device;
}

/** How long with nofail when rd.timeout=0 or rootwait waits for the root for ever: its device may be gone for good. */
const longest_ms = 30_000;

function timeoutOf({ options }: Boot, { timeout_ms, mayFail }: PlannedMount): number | undefined {
  if (timeout_ms === "for ever") return undefined;
  return timeout_ms ?? options.deviceTimeout_ms ?? (mayFail ? longest_ms : undefined);
}

function mountBind({ sys, log }: Boot, mount: PlannedMount, target: string): void {
  const name = text(mount.mountPoint);
  const source = resolveInRoot(sys, newRoot, mount.device);
  if (source === undefined)
    throw new UserError(
      `${name} can't be mounted: ${text(mount.device)}, which it is to show, does not exist in the root.`,
      "Correct its line in /etc/fstab.",
    );
  const { flags } = parseMountOptions(mount.options);
  attempt(name, () => {
    sys.mount(source, target, "", MS_BIND | (mount.recursive ? MS_REC : 0), "");
    // A bind mount takes its flags only afterwards (mount(2)).
    if (flags !== 0) sys.mount("", target, "", MS_BIND | MS_REMOUNT | flags, "");
  });
  log.info(`mounted ${text(mount.device)} on ${name}`);
}

async function mountVirtual(
  { boot, loadFilesystem }: Means,
  mount: PlannedMount,
  target: string,
): Promise<void> {
  const { sys, log } = boot;
  const name = text(mount.mountPoint);
  const type = mount.types[0] ?? "";
  const options = mount.kind === "overlay" ? inNewRoot(sys, name, mount.options) : mount.options;
  const { flags, data } = parseMountOptions(options);
  await loadFilesystem(type);
  try {
    const mounting = sys.slow.mount(mount.device, target, type, flags, data);
    await sayIfSlow(boot, `mounting ${name}; the kernel is still at it`, mounting);
  } catch (error) {
    throw cantMount(name, error);
  }
  log.info(`mounted ${name} (${text(type)})`);
}

function inNewRoot(sys: Syscalls, name: string, options: string): string {
  return mapOverlayPaths(options, (path) => {
    const place = resolveInRoot(sys, newRoot, path);
    if (place !== undefined) return place;
    throw new UserError(
      `${name} can't be mounted: ${text(path)}, a layer of it, does not exist in the root.`,
      "Correct its line in /etc/fstab.",
    );
  });
}

function findDirectory(sys: Syscalls, path: string): string | undefined {
  try {
    const place = resolveInRoot(sys, newRoot, path);
    return place !== undefined && sys.stat(AT_FDCWD, place).type === "directory" ? place : undefined;
  } catch (error) {
    throw cantMount(text(path), error);
  }
}

function attempt(name: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw cantMount(name, error);
  }
}

function cantMount(name: string, error: unknown): UserError {
  return new UserError(
    `${name} can't be mounted: ${describe(error)}.`,
    "The kernel's own messages above may say more.",
  );
}
