/** The overlay that is kept on a disk: its device is waited for and mounted, and its directories are made. */

import {
  AT_FDCWD,
  MSDOS_SUPER_MAGIC,
  MS_BIND,
  MS_RDONLY,
  MS_REMOUNT,
  SysError,
  type Syscalls,
  exists,
  mkdirs,
} from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";
import { isSameBtrfs } from "../mount/btrfs.ts";
import { describeRef, parseDeviceRef } from "../devices/deviceref.ts";
import { findOpened } from "../devices/finddevice.ts";
import { type Means, filesystemLoader } from "./live.ts";
import { livePlaces } from "./places.ts";
import type { LiveSettings, OverlayDisk } from "./settings.ts";
import { withLoop } from "./loop.ts";
import { makeReady, mountDevice } from "../mount/mountdevice.ts";
import { mountedAt } from "../mount/mounted.ts";
import { type Writable, defaultPlace, inDirectory, inImage } from "./overlay-plan.ts";
import { removeTree } from "./remove-tree.ts";
import { resolveInRoot } from "../mount/resolve.ts";
import { waitForDevices } from "../devices/wait-devices.ts";

/** An overlay on a disk. */
export interface KeptOverlay {
  /** To people: "/dev/vdb, in LiveOS/overlay-x". */
  readonly title: string;
  /** Its directories; undefined when it stays as it is. */
  readonly writable: Writable | undefined;
  /** Its changes, when it stays as it is and there are some. */
  readonly upper: string | undefined;
}

/**
 * Mounts what holds the overlay; `mounted` gets each mount point.
 * @param target where the root is mounted
 * @throws UserError when it did not appear, can't be mounted, or can't be written to
 */
export async function openDisk(
  means: Means,
  settings: LiveSettings,
  disk: OverlayDisk,
  target: string,
  mounted: string[],
): Promise<KeptOverlay> {
  const { boot } = means;
  const { overlay } = settings;
  const device = await waitForDevice(means, disk);
  const place = disk.path ?? (await nameAfterRoot(means, settings));
  await mountDisk(means, device, overlay.readOnly, mounted);
  const title = `${device.node}, in ${text(place)}`;
  try {
    const found = resolveInRoot(boot.sys, livePlaces.overlayDisk, `/${place}`);
    const type = found === undefined ? undefined : boot.sys.stat(AT_FDCWD, found).type;
    if (found !== undefined && type === "file")
      await mountFile(means, found, title, overlay.readOnly, mounted);
    if (type !== "file") refuseVfat(boot.sys, device, place);
    const places = type === "file" ? inImage : inDirectory(found ?? `${livePlaces.overlayDisk}/${place}`);
    return overlay.readOnly
      ? look(means, title, places)
      : prepare(means, title, places, target, overlay.reset);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new UserError(
      `The overlay on ${title} can't be used: ${describe(error)}.`,
      "It takes a filesystem like ext4, xfs or btrfs that can be written to, and has room.",
    );
  }
}

function refuseVfat(sys: Syscalls, { node }: BlockDevice, place: string): void {
  if (sys.statfs(livePlaces.overlayDisk).type !== MSDOS_SUPER_MAGIC) return;
  throw new UserError(
    `${node} can't keep the overlay in the directory ${text(place)}: a vfat has no place for what Linux notes of files.`,
    "Name an image file on it that holds an ext4: rd.overlay=DEVICE:FILE.",
  );
}

async function waitForDevice(
  { boot, devices, layers }: Means,
  { device }: OverlayDisk,
): Promise<BlockDevice> {
  const name = describeRef(device);
  if ((await findOpened(boot.sys, devices, device)) === undefined) layers.need?.(device);
  const found = await waitForDevices(boot, devices, layers, {
    what: () => `${name}, which keeps the overlay`,
    look: () => findOpened(boot.sys, devices, device),
    timeout_ms: boot.options.deviceTimeout_ms,
  });
  if (found === undefined)
    throw new UserError(`${name}, which keeps the changes to the root, did not appear.`, "Plug it in.");
  for (const other of found.alsoMatching)
    if (!(await isSameBtrfs(found.device, other)))
      boot.log.warning(`${name} is on ${other.node} too; ${found.device.node} keeps the overlay.`);
  return found.device;
}

async function nameAfterRoot({ boot, devices }: Means, { directory }: LiveSettings): Promise<string> {
  const ref = parseDeviceRef(boot.options.root ?? "");
  const root = typeof ref === "string" ? undefined : (await findOpened(boot.sys, devices, ref))?.device;
  if (root === undefined)
    throw new UserError(
      "The overlay has no name: the root is on no device that it could be named after.",
      "Give its directory behind the device: rd.overlay=DEVICE:PATH.",
    );
  const { found } = await root.contents();
  const { partition } = root;
  const table = partition === undefined ? undefined : await devices.get(partition.disk)?.table();
  const row = table?.partitions.find(({ number }) => number === partition?.number);
  return defaultPlace(directory, found?.label, found?.uuid ?? row?.uuid);
}

async function mountDisk(
  means: Means,
  device: BlockDevice,
  readOnly: boolean,
  mounted: string[],
): Promise<void> {
  const { boot, devices, layers } = means;
  const { sys } = boot;
  const target = livePlaces.overlayDisk;
  mkdirs(sys, target);
  const there = mountedAt(sys, device);
  if (there === livePlaces.device) {
    // It holds the image too: one filesystem is read-only everywhere, or nowhere.
    try {
      if (!readOnly) sys.mount("", there, "", MS_REMOUNT, "");
      sys.mount(there, target, "", MS_BIND, "");
    } catch (error) {
      throw new UserError(
        `${device.node}, which is to keep the overlay, can't be written to: ${describe(error)}.`,
      );
    }
  } else if (there !== undefined) {
    throw new UserError(
      `${device.node} can't keep the overlay: it is mounted on ${text(there)}, and an overlay can't lie on the root itself.`,
      "Name another device.",
    );
  } else {
    const load = filesystemLoader(means);
    const wish = { types: [], data: "", pass: undefined, part: undefined, layers } as const;
    const timeout_ms = boot.options.deviceTimeout_ms;
    const ready = await makeReady(boot, devices, { ...wish, device, timeout_ms }, load, means.run);
    const names = { title: "The overlay's device", as: "for the overlay", target };
    const flags = readOnly ? MS_RDONLY : 0;
    await mountDevice(boot, { ...names, device: ready, types: [], flags, data: "" }, load);
  }
  mounted.push(target);
}

async function mountFile(
  means: Means,
  path: string,
  title: string,
  readOnly: boolean,
  mounted: string[],
): Promise<void> {
  const target = livePlaces.overlayImage;
  mkdirs(means.boot.sys, target);
  const names = { title: `The overlay on ${title}, which is`, as: "for the overlay", target };
  const flags = readOnly ? MS_RDONLY : 0;
  await withLoop(means, path, { title: `The overlay on ${title}`, readOnly }, (device) =>
    mountDevice(means.boot, { ...names, device, types: [], flags, data: "" }, filesystemLoader(means)),
  );
  mounted.push(target);
}

function look({ boot: { sys, log } }: Means, title: string, { upper }: Writable): KeptOverlay {
  const isThere = resolveInRoot(sys, "/", upper) !== undefined;
  if (!isThere) log.notice(`there is no overlay on ${title}; the root is shown without one.`);
  return { title, writable: undefined, upper: isThere ? upper : undefined };
}

function prepare(
  { boot: { sys, log } }: Means,
  title: string,
  places: Writable,
  like: string,
  reset: boolean,
): KeptOverlay {
  if (reset) {
    log.notice(`emptying the overlay on ${title}, as rd.overlay.reset asks`);
    for (const path of [places.upper, places.work]) removeTree(sys, path);
  }
  makeDirectories(sys, places, like);
  return { title, writable: places, upper: undefined };
}

/**
 * Makes the directories that are missing. The rights of the upper one are those of the root.
 * @param like a new one gets the rights of this
 * @throws SysError
 */
export function makeDirectories(sys: Syscalls, { upper, work }: Writable, like: string): void {
  if (!exists(sys, upper)) {
    mkdirs(sys, upper);
    sys.chmod(upper, sys.stat(AT_FDCWD, like).mode);
  }
  mkdirs(sys, work);
}
