/** Mounts the filesystem of a device, read-only where it can't be written to, and tells the kernel's answers in words. */

import { MS_RDONLY, isErrno, readText } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { BlockDevice, Contents } from "../devices/blockdevice.ts";
import type { BlockDevices } from "../devices/blockdevices.ts";
import { gatherBtrfs } from "./btrfs.ts";
import type { runChild } from "../children/children.ts";
import type { Boot } from "../context.ts";
import { checkFilesystem } from "../fsck/fsck.ts";
import { mountSource } from "../storage/dm-nodes.ts";
import type { Layers } from "../storage/layer.ts";
import { sayIfSlow } from "../wait.ts";

/** What is to be mounted where. */
export interface MountRequest {
  readonly device: BlockDevice;
  /** What it is to people, at the beginning of a sentence: "The root", "The filesystem for /usr". */
  readonly title: string;
  /** What it is mounted as, behind the device: "as the root". */
  readonly as: string;
  readonly target: string;
  /** The types to try in their order; empty when the device is to say. */
  readonly types: readonly string[];
  /** MS_* */
  readonly flags: number;
  /** The options for the filesystem itself. */
  readonly data: string;
}

/** Loads the kernel's module of a filesystem, if it is one. */
export type LoadFilesystem = (type: string) => Promise<void>;

/**
 * Does what a device needs before it is mounted: the other devices of its filesystem are waited for, and it is
 * checked. Returns the device as it is then.
 * @param pass fs_passno of fstab(5), undefined where it is not known
 * @throws UserError when devices are missing, or errors are left
 */
export async function makeReady(
  boot: Boot,
  devices: BlockDevices,
  request: Pick<MountRequest, "device" | "types" | "data"> & {
    readonly pass: number | undefined;
    readonly part: "root" | "usr" | undefined;
    readonly timeout_ms: number | undefined;
    readonly layers: Layers;
  },
  loadFilesystem: LoadFilesystem,
  run?: typeof runChild,
): Promise<BlockDevice> {
  const { device, types, pass, part } = request;
  const { found } = await readContents(boot, device);
  const type = types.length === 1 ? types[0] : found?.type;
  if (type === undefined || (found !== undefined && found.usage !== "filesystem")) return device;
  if (type === "btrfs") await gatherBtrfs(boot, devices, request, loadFilesystem);
  if (!(await checkFilesystem(boot, { device, type, pass, part }, run))) return device;
  // What was read before the repair may no longer be what is there.
  devices.scan();
  return devices.get(device.name) ?? device;
}

/**
 * Mounts a device on a directory that is there.
 * @throws UserError that says what the device holds and what the kernel answered
 */
export async function mountDevice(
  boot: Boot,
  request: MountRequest,
  loadFilesystem: LoadFilesystem,
): Promise<void> {
  const { device, title, as, types: named, flags } = request;
  const types = named.length > 0 ? named : await guessTypes(boot, request);
  const answers: string[] = [];
  const source = mountSource(boot.sys, device);
  for (const type of types) {
    await loadFilesystem(type);
    try {
      const mounting = mountOrReadOnly(boot, request, source, type);
      await sayIfSlow(boot, `mounting ${device.node} (${text(type)}); the kernel is still at it`, mounting);
      const access = (flags & MS_RDONLY) === 0 ? "read-write" : "read-only";
      boot.log.info(`mounted ${source} (${text(type)}) ${as}, ${access}`);
      return;
    } catch (error) {
      answers.push(`as ${text(type)}: ${explain(error)}`);
    }
  }
  if (answers.length === 0)
    throw new UserError(
      `${title} ${device.node} holds no filesystem that rdinit can tell, and the kernel has none loaded to try.`,
      "Is it the right device? Name its type by rootfstype= otherwise.",
    );
  throw new UserError(
    `${title} ${device.node} can't be mounted ${answers.join("; ")}.`,
    "The kernel's own messages above may say more.",
  );
}

/** What to try when no type is named: what is on the device, or all that the kernel knows. */
async function guessTypes(boot: Boot, request: MountRequest): Promise<string[]> {
  const contents = await readContents(boot, request.device);
  const { found } = contents;
  if (found?.type !== undefined && found.usage === "filesystem" && found.damaged === undefined)
    return [found.type];
  const obstacle = describeObstacle(request, contents);
  if (obstacle !== undefined) throw obstacle;
  // The kernel does the same with a root whose type it can't tell (mount_block_root() in init/do_mounts.c).
  return readText(boot.sys, "/proc/filesystems")
    .split("\n")
    .filter((line) => line.startsWith("\t"))
    .map((line) => line.trim());
}

function readContents(boot: Boot, device: BlockDevice): Promise<Contents> {
  return sayIfSlow(boot, `reading what is on ${device.node}; it does not answer yet`, device.contents());
}

const containers: Readonly<Record<string, string>> = {
  crypto_LUKS: "a LUKS container",
  LVM2_member: "an LVM physical volume",
  linux_raid_member: "a member of a RAID array",
  swap: "swap space",
  swsuspend: "a hibernation image",
  jbd: "the external journal of another filesystem",
};

/** Why the device can't be mounted as it is; undefined when nothing stands against trying. */
function describeObstacle(
  { device, title }: MountRequest,
  { found, problem }: Contents,
): UserError | undefined {
  if (problem !== undefined) return new UserError(`${title} can't be used: ${problem}`);
  if (found?.damaged !== undefined)
    return new UserError(
      `${title} ${device.node} is not mounted: its ${found.damaged}.`,
      "Repair it from another system (fsck), or name its type by rootfstype= to have it tried all the same.",
    );
  const container = found?.type === undefined ? undefined : containers[found.type];
  return container === undefined
    ? undefined
    : new UserError(`${title} ${device.node} is ${container}, not a filesystem.`);
}

async function mountOrReadOnly(
  { sys, log }: Boot,
  { target, flags, data }: MountRequest,
  source: string,
  type: string,
): Promise<void> {
  try {
    await sys.slow.mount(source, target, type, flags, data);
  } catch (error) {
    // As the kernel does for its own root: a write-protected disk can still be read.
    if ((flags & MS_RDONLY) !== 0 || !isErrno(error, "EROFS", "EACCES")) throw error;
    log.warning(`${source} can't be written to; mounting it read-only.`);
    await sys.slow.mount(source, target, type, flags | MS_RDONLY, data);
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
