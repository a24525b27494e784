/** Finds the block device that a reference means, and waits for it in the open. */

import { sameUuid } from "../../lib/uuid.ts";
import type { Syscalls } from "../../../syscalls/index.ts";
import type { BlockDevice } from "./blockdevice.ts";
import type { BlockDevices } from "./blockdevices.ts";
import { deviceLinks } from "./devicelinks.ts";
import { type DeviceRef, unescapeLink } from "./deviceref.ts";
import { listDmDevices, openedLuks, snapshotNames } from "../storage/dm-nodes.ts";
import { dmName, isName, isVolume } from "../storage/lvm-names.ts";
import { mdLinks } from "../storage/md-links.ts";

/** How long a look waits for a disk that does not answer; its answer is a change of the devices (blockdevices.ts). */
const patience_ms = 1000;

/**
 * The device that `ref` means among those that are there now; undefined when none does, or when it does not
 * answer in time. When several carry the same tag, snapshots do not count, the first by name is taken, and the others
 * are named in `alsoMatching`.
 */
export async function findDevice(
  sys: Syscalls,
  devices: BlockDevices,
  ref: DeviceRef,
  timeout_ms = patience_ms,
): Promise<{ device: BlockDevice; alsoMatching: BlockDevice[] } | undefined> {
  const all = devices.all();
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), timeout_ms);
  const looks = all.map((device) => Promise.race([means(sys, devices, device, ref), late.promise]));
  const matches = await Promise.all(looks).finally(() => clearTimeout(timer));
  const [first, ...others] = originsOf(
    sys,
    all.filter((_, i) => matches[i]),
  );
  if (first === undefined) return undefined;
  const device = ref.kind === "tag" ? partitionBeside(devices, first, ref.partitionOffset) : first;
  return device === undefined ? undefined : { device, alsoMatching: others };
}

/**
 * The same, but where `ref` means an encrypted volume of LUKS, the device that this was opened as is the answer, and
 * undefined until it is. Whether it means one can't be told of a disk that does not answer in time.
 */
export async function findOpened(
  sys: Syscalls,
  devices: BlockDevices,
  ref: DeviceRef,
  timeout_ms = patience_ms,
): Promise<{ device: BlockDevice; alsoMatching: BlockDevice[] } | undefined> {
  const found = await findDevice(sys, devices, ref, timeout_ms);
  if (found === undefined) return undefined;
  const contents = await Promise.race([found.device.contents(), Bun.sleep(timeout_ms)]);
  if (contents === undefined) return undefined;
  if (contents.found?.type !== "crypto_LUKS") return found;
  const opened = openedLuks(sys, contents.found.uuid ?? "");
  const device = opened === undefined ? undefined : devices.get(opened.kernelName);
  return device === undefined ? undefined : { device, alsoMatching: [] };
}

async function means(
  sys: Syscalls,
  devices: BlockDevices,
  device: BlockDevice,
  ref: DeviceRef,
): Promise<boolean> {
  switch (ref.kind) {
    case "number":
      return device.rdev === ref.rdev;
    case "path":
      return (
        device.node === `/dev/${ref.name}` ||
        (device.dmName !== undefined && namesDm(sys, device, ref.name)) ||
        (ref.name.startsWith("md/") && mdLinks(sys, device).includes(ref.name)) ||
        (ref.name.startsWith("disk/") && deviceLinks(sys, device).includes(ref.name))
      );
    case "tag":
      return hasTag(devices, device, ref);
  }
}

// "mapper/vg-lv", or "vg/lv" of a logical volume.
function namesDm(sys: Syscalls, device: BlockDevice, path: string): boolean {
  if (path === `mapper/${device.dmName}`) return true;
  const [group = "", volume = "", ...more] = path.split("/");
  if (more.length > 0 || !isName(group) || device.dmName !== dmName(group, volume)) return false;
  return listDmDevices(sys).some(({ kernelName, uuid }) => kernelName === device.name && isVolume(uuid));
}

// A snapshot carries the tags of its origin, which is meant (DM_UDEV_LOW_PRIORITY_FLAG in udev's rules).
function originsOf(sys: Syscalls, devices: readonly BlockDevice[]): readonly BlockDevice[] {
  if (devices.length < 2) return devices;
  const snapshots = snapshotNames(listDmDevices(sys));
  const origins = devices.filter(({ name }) => !snapshots.has(name));
  return origins.length === 0 ? devices : origins;
}

async function hasTag(
  devices: BlockDevices,
  device: BlockDevice,
  ref: DeviceRef & { kind: "tag" },
): Promise<boolean> {
  if (ref.tag === "PARTUUID" || ref.tag === "PARTLABEL") {
    const { partition } = device;
    if (partition === undefined) return false;
    const table = await devices.get(partition.disk)?.table();
    const row = table?.partitions.find((p) => p.number === partition.number);
    // The kernel's name is the last resort, for it keeps but one byte of each character (block/partitions/efi.c).
    if (row === undefined) return ref.tag === "PARTLABEL" && isLabel(partition.name, ref.value);
    return ref.tag === "PARTLABEL" ? isLabel(row.name, ref.value) : sameUuid(row.uuid, ref.value);
  }
  const { found } = await device.contents();
  if (found === undefined || found.type === undefined) return false;
  if (ref.tag === "LABEL") return isLabel(found.label, ref.value);
  return found.uuid !== undefined && sameUuid(found.uuid, ref.value);
}

// Boot loaders that know no quotes write a blank as \x20, as it is in udev's links.
function isLabel(label: string | undefined, written: string): boolean {
  return label !== undefined && (label === written || label === unescapeLink(written));
}

// PARTUUID=…/PARTNROFF=1 means the partition behind the named one, on the same disk.
function partitionBeside(
  devices: BlockDevices,
  device: BlockDevice,
  offset: number,
): BlockDevice | undefined {
  const { partition } = device;
  if (offset === 0 || partition === undefined) return device;
  const wanted = partition.number + offset;
  return devices.all().find((d) => d.partition?.disk === partition.disk && d.partition.number === wanted);
}
