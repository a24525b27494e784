/** The real root: found, and mounted where the hand-over expects it. */

import {
  AT_FDCWD,
  type FileType,
  MS_RDONLY,
  type Syscalls,
  isErrno,
  mkdirs,
  readTextIfThere,
} from "../../syscalls/index.ts";
import { text } from "../lib/bytes.ts";
import { UserError, describe } from "../lib/errors.ts";
import { parseFstab } from "../storage/fstab.ts";
import type { BlockDevice } from "./devices/blockdevice.ts";
import type { BlockDevices } from "./devices/blockdevices.ts";
import { isSameBtrfs } from "./mount/btrfs.ts";
import type { Word } from "./cmdline/cmdline.ts";
import type { Boot } from "./context.ts";
import { type DeviceRef, describeRef, parseDeviceRef } from "./devices/deviceref.ts";
import { describeFileType } from "./mount/filetype.ts";
import { findOpened } from "./devices/finddevice.ts";
import { foreignRoot } from "./cmdline/foreign-words.ts";
import { readLiveSettings, wantsOverlay } from "./live/settings.ts";
import { type LoadFilesystem, makeReady, mountDevice } from "./mount/mountdevice.ts";
import { parseMountOptions } from "./mount/mountoptions.ts";
import type { Start } from "./handover/oldroot.ts";
import type { Options } from "./cmdline/options.ts";
import { packedFile } from "./cmdline/packed.ts";
import type { Layers } from "./storage/layer.ts";
import type { Storage } from "./storage/storage.ts";
import { waitForDevices } from "./devices/wait-devices.ts";

/**
 * The block device that `root=` names. When it names none and may do so, as hooks may mount the root or the image is a
 * whole system itself, it is left to them.
 * @throws UserError when `root=` is missing or makes no sense
 */
export function chooseRoot(
  root: string | undefined,
  mayNameNone: boolean,
  start: Start = "rootfs",
): DeviceRef | "left to hooks" {
  const ref = root === undefined ? undefined : parseDeviceRef(root);
  if (typeof ref === "object") return ref;
  if (mayNameNone) return "left to hooks";
  const foreign = foreignRoot(root ?? "");
  if (foreign !== undefined) throw new UserError(`root=${text(root ?? "")} can't be mounted: ${foreign}.`);
  if (ref !== undefined) throw new UserError(`root= makes no sense: ${ref}`);
  if (start === "filesystem")
    throw new UserError(
      "The real root is not named: root= on the kernel command line is the filesystem that rdinit was started from.",
      `Add rd.root=UUID=… to the command line, or root=UUID=… to ${packedFile} there.`,
    );
  throw new UserError(
    "The kernel command line names no root filesystem.",
    "Add root=UUID=… or another form of root= to it.",
  );
}

/** How the root is mounted. */
export interface RootMount {
  /** The types to try in their order; empty when the device is to say. */
  readonly types: readonly string[];
  /** MS_* */
  readonly flags: number;
  /** The options for the filesystem itself. */
  readonly data: string;
}

/** Read-only unless `rw` says otherwise, as the kernel would; below an overlay it always is, whatever rootflags= says. */
export function planMount({ rootTypes, rootFlags, readOnly }: Options, words: readonly Word[]): RootMount {
  const isCovered = wantsOverlay(readLiveSettings(words).settings);
  const { flags, data } = parseMountOptions(rootFlags, readOnly ? MS_RDONLY : 0);
  return { types: rootTypes, flags: isCovered ? flags | MS_RDONLY : flags, data };
}

/**
 * Waits for the root device.
 * @throws UserError when it is no block device, or when the deadline came first
 */
export async function findRoot(
  boot: Boot,
  devices: BlockDevices,
  storage: Storage,
  ref: DeviceRef,
): Promise<BlockDevice> {
  if (ref.kind === "path") refuseOtherFiles(boot.sys, `/dev/${ref.name}`);
  const found = await waitForDevices(boot, devices, storage, {
    what: () => `the root ${describeRef(ref)}`,
    look: () => findOpened(boot.sys, devices, ref),
    timeout_ms: boot.options.deviceTimeout_ms,
  });
  if (found === undefined) {
    const problems = storage.problems();
    const clauses = storage.waitsFor().filter((clause) => !problems.includes(`${clause}.`));
    for (const problem of [...clauses, ...problems]) boot.log.error(problem);
    throw new UserError(`The root ${describeRef(ref)} did not appear.`);
  }
  for (const other of found.alsoMatching) {
    if (await isSameBtrfs(found.device, other)) continue;
    boot.log.warning(`${describeRef(ref)} is on ${other.node} too; ${found.device.node} is taken.`);
  }
  return found.device;
}

/**
 * Mounts the root filesystem on `newRoot`.
 * @throws UserError that says what the device holds and what the kernel answered
 */
export async function mountRoot(
  boot: Boot,
  device: BlockDevice,
  newRoot: string,
  loadFilesystem: LoadFilesystem,
): Promise<void> {
  makeMountPoint(boot.sys, newRoot);
  const names = { title: "The root", as: "as the root", target: newRoot };
  await mountDevice(boot, { ...names, device, ...planMount(boot.options, boot.words) }, loadFilesystem);
}

/**
 * Does what the root needs before it is mounted (mountdevice.ts). Returns its device as it is then.
 * @throws UserError when devices are missing, or a check has left errors
 */
export async function makeRootReady(
  boot: Boot,
  devices: BlockDevices,
  layers: Layers,
  device: BlockDevice,
  loadFilesystem: LoadFilesystem,
): Promise<BlockDevice> {
  // Of the real fstab nothing is known yet; the image may have brought its line.
  const { entries } = parseFstab(readTextIfThere(boot.sys, "/etc/fstab") ?? "");
  const pass = entries.find(({ mountPoint }) => mountPoint === "/")?.pass;
  const { types, data } = planMount(boot.options, boot.words);
  const timeout_ms = boot.options.deviceTimeout_ms;
  const wish = { device, types, data, pass, part: "root", timeout_ms, layers } as const;
  return makeReady(boot, devices, wish, loadFilesystem);
}

/**
 * Makes the directory that the root is mounted on.
 * @throws UserError
 */
export function makeMountPoint(sys: Syscalls, path: string): void {
  try {
    mkdirs(sys, path);
  } catch (error) {
    throw new UserError(
      `The directory ${path}, where the root is to be mounted, can't be made: ${describe(error)}.`,
      "On a read-only filesystem it must be there already.",
    );
  }
}

// /dev/null or /dev/shm would be waited for in vain.
function refuseOtherFiles(sys: Syscalls, path: string): void {
  const type = typeIfThere(sys, path);
  if (type !== undefined && type !== "block")
    throw new UserError(`root=${text(path)} is ${describeFileType(type)}, not a block device.`);
}

function typeIfThere(sys: Syscalls, path: string): FileType | undefined {
  try {
    return sys.stat(AT_FDCWD, path).type;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
    throw new UserError(`root=${text(path)} can't be examined: ${describe(error)}.`);
  }
}
