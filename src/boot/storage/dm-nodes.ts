/**
 * The names of device-mapper devices: what udev's rules would make of them, without udev.
 *
 * - `/dev/mapper/NAME` and, for logical volumes, `/dev/VG/LV` are links to `/dev/dm-N` (Debian's 55-dm.rules and
 *   56-lvm.rules). Tools that run without udev make nodes of their own there, which this replaces.
 * - `/run/udev/data/bMAJOR:MINOR` is udev's record of the device (udev-record.ts). The udevd of the real system meets the
 *   devices by an event "add", and its rules take a device-mapper device for unfinished at that event unless the record
 *   says DM_UDEV_PRIMARY_SOURCE_FLAG=1: then systemd would wait for it for ever. Nothing else has to stand there: name,
 *   UUID and state are read from sysfs. There is no tag in it, so systemd itself passes the record over until udevd has
 *   seen the device. Booster writes the same line.
 * - For the parts of logical volumes the record has the flags that lvm hands to udevd when it activates them
 *   (_get_udev_flags() in lib/activate/dev_manager.c): no links, and nobody reads what they hold. No event after this
 *   one would say so, and the legs of a mirror would take the links by UUID from the mirror.
 */

import { namesIn, readAttribute } from "../devices/attributes.ts";
import { AT_FDCWD, SysError, type Syscalls, isErrno, mkdirs } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { describe } from "../../lib/errors.ts";
import type { BlockDevice } from "../devices/blockdevice.ts";
import { isPartOfVolume, isVolume, splitDmName } from "./lvm-names.ts";
import { makeRecord } from "./udev-record.ts";

/** A device-mapper device as sysfs describes it. */
export interface DmDevice {
  /** The kernel's name: "dm-0". */
  readonly kernelName: string;
  /** "major:minor" */
  readonly rdev: string;
  /** Its names in device-mapper. */
  readonly name: string;
  readonly uuid: string;
  /** It has a table and is not suspended: it can be read. */
  readonly live: boolean;
}

/** All device-mapper devices, in the order of their names. */
export function listDmDevices(sys: Syscalls): DmDevice[] {
  return namesIn(sys, "/sys/class/block").flatMap((name) => {
    const device = name.startsWith("dm-") ? readDmDevice(sys, name) : undefined;
    return device === undefined ? [] : [device];
  });
}

/** The names in device-mapper of all its devices: a fifth of what listDmDevices() reads. */
export function dmNames(sys: Syscalls): Set<string> {
  const kernelNames = namesIn(sys, "/sys/class/block").filter((name) => name.startsWith("dm-"));
  return new Set(kernelNames.flatMap((name) => readAttribute(sys, `/sys/class/block/${name}/dm/name`) ?? []));
}

/** What the volume of LUKS with this UUID was opened as: dm-crypt's is "CRYPT-LUKS2-", that UUID without dashes, and a name. */
export function openedLuks(sys: Syscalls, luksUuid: string): DmDevice | undefined {
  const digits = luksUuid.replaceAll("-", "").toLowerCase();
  return listDmDevices(sys).find(({ uuid }) => isOfLuks(uuid) && uuid.split("-")[2] === digits);
}

/** Whether the device is an opened volume of LUKS, by its UUID in device-mapper. */
export function isOfLuks(dmUuid: string): boolean {
  return dmUuid.startsWith("CRYPT-LUKS");
}

/** Whether the device is a logical volume. */
export function isLogicalVolume(sys: Syscalls, { name, dmName }: BlockDevice): boolean {
  return dmName !== undefined && isVolume(readAttribute(sys, `/sys/class/block/${name}/dm/uuid`) ?? "");
}

/** The kernel's names of those that are snapshots of others: LVM keeps what differs in a volume below each. */
export function snapshotNames(devices: readonly DmDevice[]): Set<string> {
  const uuids = new Set(devices.map(({ uuid }) => uuid));
  const snapshots = devices.filter(({ uuid }) => isVolume(uuid) && uuids.has(`${uuid}-cow`));
  return new Set(snapshots.map(({ kernelName }) => kernelName));
}

/**
 * Makes the links and records of all logical volumes and encrypted volumes that are live; those that are as they
 * should be stay untouched. Never throws for what the kernel refuses: the result is a sentence about each.
 */
export function publishDmDevices(sys: Syscalls): string[] {
  const problems: string[] = [];
  for (const device of listDmDevices(sys).filter(isPublished))
    try {
      for (const path of linksOf(device)) makeLink(sys, path, `../${device.kernelName}`);
      makeRecord(sys, device.rdev, recordOf(device));
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      problems.push(
        `The names of ${text(device.name)} (${device.kernelName}) can't be made: ${describe(error)}.`,
      );
    }
  return problems;
}

/** The links that lead to a device. */
export function linksOf({ name, uuid }: DmDevice): string[] {
  const parts = isVolume(uuid) && !isPartOfVolume(name, uuid) ? splitDmName(name) : undefined;
  return [`/dev/mapper/${name}`, ...(parts === undefined ? [] : [`/dev/${parts.group}/${parts.volume}`])];
}

/** What a device is called in /proc/mounts: /dev/mapper/NAME if that leads to it, as mount(8) would have it. */
export function mountSource(sys: Syscalls, { name, node, dmName }: BlockDevice): string {
  // The tool that made it may not have come to its end, after which its names are made.
  if (dmName !== undefined) publishDmDevices(sys);
  const path = `/dev/mapper/${dmName}`;
  return dmName !== undefined && linkTarget(sys, path) === `../${name}` ? path : node;
}

/** What udev's record of the device holds. */
export function recordOf({ name, uuid }: DmDevice): string {
  const flags = ["DM_UDEV_PRIMARY_SOURCE_FLAG", ...(isPartOfVolume(name, uuid) ? partFlags : [])];
  return flags.map((flag) => `E:${flag}=1\n`).join("");
}

const partFlags = [
  "DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG",
  "DM_UDEV_DISABLE_DISK_RULES_FLAG",
  "DM_UDEV_DISABLE_OTHER_RULES_FLAG",
];

// Devices of others (multipath, a hook's dmsetup) may not be finished, and only they know.
function isPublished({ name, uuid, live }: DmDevice): boolean {
  return live && (isVolume(uuid) || uuid.startsWith("CRYPT-")) && name !== "." && name !== "..";
}

function readDmDevice(sys: Syscalls, kernelName: string): DmDevice | undefined {
  const directory = `/sys/class/block/${kernelName}`;
  const [rdev, name, uuid, suspended, size] = ["dev", "dm/name", "dm/uuid", "dm/suspended", "size"].map(
    (attribute) => readAttribute(sys, `${directory}/${attribute}`),
  );
  if (rdev === undefined || name === undefined) return undefined;
  return { kernelName, rdev, name, uuid: uuid ?? "", live: suspended === "0" && Number(size) > 0 };
}

function makeLink(sys: Syscalls, path: string, target: string): void {
  if (linkTarget(sys, path) === target) return;
  const directory = path.slice(0, path.lastIndexOf("/"));
  mkdirs(sys, directory);
  // Whoever looks meanwhile finds the old name or the new one.
  const fresh = `${directory}/.rdinit-${target.slice("../".length)}`;
  removeIfThere(sys, fresh);
  sys.symlink(target, fresh);
  sys.rename(fresh, path);
}

function linkTarget(sys: Syscalls, path: string): string | undefined {
  try {
    return sys.readlink(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "EINVAL")) return undefined;
    throw error;
  }
}

function removeIfThere(sys: Syscalls, path: string): void {
  try {
    sys.unlinkat(AT_FDCWD, path, 0);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
}
