/** The real root: found, and mounted where the hand-over expects it. */

import {
  AT_FDCWD,
  type FileType,
  MS_RDONLY,
  type Syscalls,
  isErrno,
  mkdirs,
  readText,
} from "../../syscalls/index.ts";
import { text } from "../lib/bytes.ts";
import { UserError, describe } from "../lib/errors.ts";
import type { BlockDevice, BlockDevices, Contents } from "./blockdevices.ts";
import type { Boot } from "./context.ts";
import { type DeviceRef, describeRef, parseDeviceRef } from "./deviceref.ts";
import { describeFileType } from "./filetype.ts";
import { findDevice } from "./finddevice.ts";
import { parseMountOptions } from "./mountoptions.ts";
import type { Options } from "./options.ts";
import { describeDevices } from "./report.ts";
import type { Storage } from "./storage/storage.ts";
import { sayIfSlow, waitInTheOpen } from "./wait.ts";

/**
 * The block device that `root=` names. When it names none and hooks may mount the root, it is left to them.
 * @throws UserError when `root=` is missing or makes no sense
 */
export function chooseRoot(root: string | undefined, hooksMayMount: boolean): DeviceRef | "left to hooks" {
  const ref = root === undefined ? undefined : parseDeviceRef(root);
  if (typeof ref === "object") return ref;
  if (hooksMayMount) return "left to hooks";
  if (ref !== undefined) throw new UserError(`root= makes no sense: ${ref}`);
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

/** Read-only unless `rw` says otherwise, as the kernel would. */
export function planMount({ rootTypes, rootFlags, readOnly }: Options): RootMount {
  return { types: rootTypes, ...parseMountOptions(rootFlags, readOnly ? MS_RDONLY : 0) };
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
  const found = await waitInTheOpen(boot, {
    look: () => findDevice(boot.sys, devices, ref),
    changed: () => devices.changed(),
    describe: async () =>
      [
        `waiting for the root ${describeRef(ref)}`,
        ...storage.waitsFor(),
        await describeDevices(devices),
      ].join("; "),
    timeout_ms: boot.options.deviceTimeout_ms,
    isHeld: () => storage.isBusy(),
  });
  if (found === undefined) {
    for (const problem of [...storage.waitsFor(), ...storage.problems()]) boot.log.error(problem);
    throw new UserError(`The root ${describeRef(ref)} did not appear.`);
  }
  for (const other of found.alsoMatching)
    boot.log.warning(`${describeRef(ref)} is on ${other.node} too; ${found.device.node} is taken.`);
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
  loadFilesystem: (type: string) => Promise<void>,
): Promise<void> {
  const { types: named, flags, data } = planMount(boot.options);
  const types = named.length > 0 ? named : await guessTypes(boot, device);
  makeMountPoint(boot.sys, newRoot);
  const answers: string[] = [];
  for (const type of types) {
    await loadFilesystem(type);
    try {
      const mounting = mountOrReadOnly(boot, device.node, newRoot, type, flags, data);
      await sayIfSlow(boot, `mounting ${device.node} (${text(type)}); the kernel is still at it`, mounting);
      boot.log.info(
        `mounted ${device.node} (${text(type)}) as the root, ${(flags & MS_RDONLY) === 0 ? "read-write" : "read-only"}`,
      );
      return;
    } catch (error) {
      answers.push(`as ${text(type)}: ${explain(error)}`);
    }
  }
  if (answers.length === 0)
    throw new UserError(
      `The root ${device.node} holds no filesystem that rdinit can tell, and the kernel has none loaded to try.`,
      "Is it the right device? Name its type by rootfstype= otherwise.",
    );
  throw new UserError(
    `The root ${device.node} can't be mounted ${answers.join("; ")}.`,
    "The kernel's own messages above may say more.",
  );
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

/** What to try when the command line names no type: what is on the device, or all that the kernel knows. */
async function guessTypes(boot: Boot, device: BlockDevice): Promise<string[]> {
  const contents = await sayIfSlow(
    boot,
    `reading what is on ${device.node}; it does not answer yet`,
    device.contents(),
  );
  const { found } = contents;
  if (found?.type !== undefined && found.usage === "filesystem" && found.damaged === undefined)
    return [found.type];
  const obstacle = describeObstacle(device, contents);
  if (obstacle !== undefined) throw obstacle;
  // The kernel does the same with a root whose type it can't tell (mount_block_root() in init/do_mounts.c).
  return readText(boot.sys, "/proc/filesystems")
    .split("\n")
    .filter((line) => line.startsWith("\t"))
    .map((line) => line.trim());
}

const containers: Readonly<Record<string, string>> = {
  crypto_LUKS: "a LUKS container",
  LVM2_member: "an LVM physical volume",
  linux_raid_member: "a member of a RAID array",
  swap: "swap space",
  swsuspend: "a hibernation image",
  jbd: "the external journal of another filesystem",
};

/** Why the device can't be the root as it is; undefined when nothing stands against trying. */
function describeObstacle(device: BlockDevice, { found, problem }: Contents): UserError | undefined {
  if (problem !== undefined) return new UserError(`The root can't be used: ${problem}`);
  if (found?.damaged !== undefined)
    return new UserError(
      `The root ${device.node} is not mounted: its ${found.damaged}.`,
      "Repair it from another system (fsck), or name its type by rootfstype= to have it tried all the same.",
    );
  const container = found?.type === undefined ? undefined : containers[found.type];
  return container === undefined
    ? undefined
    : new UserError(`The root ${device.node} is ${container}, not a filesystem.`);
}

async function mountOrReadOnly(
  boot: Boot,
  node: string,
  target: string,
  type: string,
  flags: number,
  data: string,
): Promise<void> {
  try {
    await boot.sys.slow.mount(node, target, type, flags, data);
  } catch (error) {
    // As the kernel does for its own root: a write-protected disk can still be read.
    if ((flags & MS_RDONLY) !== 0 || !isErrno(error, "EROFS", "EACCES")) throw error;
    boot.log.warning(`${node} can't be written to; mounting it read-only.`);
    await boot.sys.slow.mount(node, target, type, flags | MS_RDONLY, data);
  }
}

function explain(error: unknown): string {
  if (isErrno(error, "ENODEV"))
    return "the kernel does not know this filesystem, and the image holds no module for it that could be loaded";
  if (isErrno(error, "EINVAL")) return "the kernel refuses its superblock or the mount options (EINVAL)";
  if (isErrno(error, "EUCLEAN", "EBADMSG", "EFSCORRUPTED"))
    return "the filesystem is damaged and needs its fsck";
  return describe(error);
}
