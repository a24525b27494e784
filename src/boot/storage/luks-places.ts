/** Files that are not in the image: keys and headers on other devices, within reach for as long as they are used. */

import {
  AT_FDCWD,
  AT_REMOVEDIR,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  SysError,
  type Syscalls,
  exists,
  mkdirs,
} from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { describe } from "../../lib/errors.ts";
import { type KeyPlace, usualKeyPaths } from "../../storage/crypttab.ts";
import { isThere } from "../devices/attributes.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";
import type { BlockDevices } from "../devices/blockdevices.ts";
import type { Boot } from "../context.ts";
import { type DeviceRef, describeRef, parseDeviceRef } from "../devices/deviceref.ts";
import { findDevice } from "../devices/finddevice.ts";
import type { StorageContext } from "./layer.ts";
import { awaitDevice } from "./luks-await.ts";

export interface Reach {
  readonly boot: Boot;
  readonly context: StorageContext;
  readonly devices: BlockDevices;
  /** Ends the wait for a device. */
  readonly signal: AbortSignal;
  /** Is told what is waited for, a clause, and undefined when that is over. */
  readonly waiting: (clause: string | undefined) => void;
}

/**
 * Gives `use` the path by which the file can be read: in the image, on the device with its filesystem mounted
 * read-only below /run/rdinit until `use` is done, or the node itself when the place is a device. Without the file
 * `use` is not called, and the result is a clause: "/key of UUID=… does not exist".
 */
export async function withPlace<T>(
  reach: Reach,
  place: KeyPlace,
  timeout_ms: number,
  use: (path: string) => Promise<T>,
): Promise<T | string> {
  if (place.device === undefined && !place.path.startsWith("/dev/")) {
    const there = isThere(reach.boot.sys, place.path);
    return there ? use(place.path) : `${text(place.path)} is not in the image`;
  }
  const ref = parseDeviceRef(place.device ?? place.path);
  if (typeof ref === "string") return ref.replace(/\.$/, "");
  const device = await waitForDevice(reach, ref, timeout_ms);
  if (device === undefined) return `${describeRef(ref)} did not appear within ${timeout_ms / 1000} s`;
  return place.device === undefined ? use(device.node) : mounted(reach, device, place.path, use);
}

/** The key file of a volume for which none is named, in the place that systemd has for it; undefined without one. */
export function usualKey(sys: Syscalls, name: string): KeyPlace | undefined {
  const path = usualKeyPaths(name).find((one) => isThere(sys, one));
  return path === undefined ? undefined : { path, device: undefined };
}

async function waitForDevice(
  { boot, devices, signal, waiting }: Reach,
  ref: DeviceRef,
  timeout_ms: number,
): Promise<BlockDevice | undefined> {
  const look = () => findDevice(boot.sys, devices, ref);
  const found = await awaitDevice({
    ...{ devices, signal, waiting, timeout_ms },
    look,
    clause: describeRef(ref),
  });
  return found?.device;
}

async function mounted<T>(
  { boot: { sys, log }, context }: Reach,
  device: BlockDevice,
  path: string,
  use: (path: string) => Promise<T>,
): Promise<T | string> {
  const type = (await device.contents()).found?.type;
  if (type === undefined) return `${device.node} holds no filesystem that rdinit can tell`;
  await context.loadModules([`fs-${type}`, ...(type === "vfat" ? CHARSETS : [])]);
  const target = freePlace(sys, device.name);
  try {
    mkdirs(sys, target, 0o700);
    const flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    await sys.slow.mount(device.node, target, type, flags, UNTOUCHED[type] ?? "");
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    removeDirectories();
    return `${device.node} can't be mounted: ${describe(error)}`;
  }
  const file = `${target}${path.startsWith("/") ? "" : "/"}${path}`;
  try {
    return exists(sys, file) ? await use(file) : `${text(path)} is not on ${device.node}`;
  } finally {
    try {
      sys.umount(target, 0);
    } catch (error) {
      log.warning(`${device.node}, which was mounted for its key, stays so: ${describe(error)}.`);
    }
    removeDirectories();
  }

  function removeDirectories(): void {
    for (const directory of [target, BASE])
      try {
        sys.unlinkat(AT_FDCWD, directory, AT_REMOVEDIR);
      } catch (error) {
        // Others use it still.
        if (!(error instanceof SysError)) throw error;
      }
  }
}

const BASE = "/run/rdinit";

// Several uses may want the same device at once, as a key and a header do, and the kernel refuses a second mount of it
// in the same place.
function freePlace(sys: Syscalls, name: string): string {
  for (let number = 1; ; number++) {
    const target = `${BASE}/keys-${name}-${number}`;
    if (!exists(sys, target)) return target;
  }
}

/** Mounted read-only, these filesystems would still replay their journal, and write. */
const UNTOUCHED: Readonly<Record<string, string>> = {
  ext3: "noload",
  ext4: "noload",
  xfs: "norecovery",
};

/** What vfat asks the kernel for by names that its modules.dep does not have. */
const CHARSETS: readonly string[] = ["nls_cp437", "nls_iso8859-1", "nls_ascii", "nls_utf8"];
