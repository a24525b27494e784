/**
 * The names below /dev/disk that udev's rules give a block device: by-id and by-path.
 *
 * Worked out from sysfs for one device at a time, as no udevd runs here. Follows systemd's
 * 60-persistent-storage.rules, path_id and ata_id, for the buses named below; the links by tag need no
 * sysfs (deviceref.ts).
 */

import type { Syscalls } from "../../../syscalls/index.ts";
import { readAttribute } from "./attributes.ts";
import type { BlockDevice } from "./blockdevice.ts";

/** All link names of the device, each like "disk/by-id/virtio-root-part1". */
export function deviceLinks(sys: Syscalls, device: BlockDevice): string[] {
  const disk = device.partition?.disk ?? device.name;
  const suffix = device.partition === undefined ? "" : `-part${device.partition.number}`;
  const block = `/sys/class/block/${disk}`;
  const links = [
    ...diskIds(sys, disk, block).map((id) => `disk/by-id/${id}${suffix}`),
    ...pathIds(resolveLink(sys, block), (path) => attribute(sys, path)).map(
      (path) => `disk/by-path/${path}${suffix}`,
    ),
  ];
  if (device.dmName !== undefined) links.push(`disk/by-id/dm-name-${device.dmName}`);
  const dmUuid = attribute(sys, `/sys/class/block/${device.name}/dm/uuid`);
  if (dmUuid) links.push(`disk/by-id/dm-uuid-${dmUuid}`);
  return links;
}

function diskIds(sys: Syscalls, disk: string, block: string): string[] {
  const get = (name: string): string | undefined => attribute(sys, `${block}/${name}`);
  const ids: string[] = [];
  if (disk.startsWith("vd")) {
    const serial = get("serial");
    if (serial) ids.push(`virtio-${replaceChars(serial)}`);
  } else if (disk.startsWith("nvme")) {
    const model = get("device/model");
    const serial = get("device/serial");
    const wwid = get("wwid");
    if (wwid) ids.push(`nvme-${wwid}`);
    const nsid = get("nsid");
    if (model && serial) {
      const id = `nvme-${replaceChars(model)}_${replaceChars(serial)}`;
      ids.push(id, ...(nsid ? [`${id}_${nsid}`] : []));
    }
  } else if (disk.startsWith("sd") || disk.startsWith("sr")) {
    ids.push(...scsiIds(get));
  } else if (disk.startsWith("mmcblk")) {
    const name = get("device/name");
    const serial = get("device/serial");
    if (name && serial) ids.push(`mmc-${name}_${serial}`);
  } else if (disk.startsWith("md")) {
    const uuid = get("md/uuid");
    if (uuid) ids.push(`md-uuid-${uuid}`);
  }
  return ids;
}

function scsiIds(get: (name: string) => string | undefined): string[] {
  const ids: string[] = [];
  const vendor = get("device/vendor") ?? "";
  const model = get("device/model") ?? "";
  const serial = unitSerial(get("device/vpd_pg80"));
  const drive = readIdentity(get("device/vpd_pg89")) ?? { model, serial };
  if (vendor === "ATA" && drive.serial)
    ids.push(`ata-${replaceChars(drive.model)}_${replaceChars(drive.serial)}`);
  const wwid = get("device/wwid") ?? "";
  const naa = /^naa\.([0-9a-f]+)$/.exec(wwid)?.[1];
  if (naa !== undefined) ids.push(`wwn-0x${naa}`, `scsi-3${naa}`);
  const eui = /^eui\.([0-9a-f]+)$/.exec(wwid)?.[1];
  if (eui !== undefined) ids.push(`scsi-2${eui}`);
  const t10 = /^t10\.([^]+)$/.exec(wwid)?.[1];
  if (t10 !== undefined) ids.push(`scsi-1${replaceChars(t10)}`);
  if (vendor !== "ATA" && serial)
    ids.push(
      `scsi-S${replaceChars(vendor)}_${replaceChars(model)}_${replaceChars(serial)}`,
      `scsi-0${replaceChars(vendor)}_${replaceChars(model)}_${replaceChars(serial)}`,
    );
  return ids;
}

// Vital product data page 0x80 (SPC-4 7.8.13): a header of four bytes, then the serial number.
function unitSerial(page: string | undefined): string | undefined {
  if (page === undefined || page.length < 5) return undefined;
  return page.slice(4).replace(/\0+$/, "").trim();
}

// Vital product data page 0x89 (SAT-4 12.4.2): the drive's IDENTIFY data at byte 60, with the model's name whole,
// of which SCSI keeps but 16 characters. Their text has the first letter of each pair second (ACS-3 3.4.9).
function readIdentity(page: string | undefined): { model: string; serial: string } | undefined {
  if (page === undefined || page.length < 60 + 2 * 47) return undefined;
  const words = (from: number, count: number): string =>
    page
      .slice(60 + 2 * from, 60 + 2 * (from + count))
      .replace(/([^])([^])/g, "$2$1")
      .replace(/\0+$/, "");
  return { model: words(27, 20), serial: words(10, 10).trim() };
}

/**
 * The by-path names of a disk whose directory in /sys/devices is `path`; those of the drivers that tell no
 * address are not made up. `read` gives the content of a file of sysfs.
 */
export function pathIds(path: string, read: (path: string) => string | undefined): string[] {
  const parts = path.split("/");
  const pci = parts.findLast((part) => /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(part));
  if (pci === undefined) return [];
  const base = `pci-${pci}`;
  if (parts.some((part) => /^virtio\d+$/.test(part)) && !parts.some((part) => /^target\d/.test(part)))
    return [base, `virtio-${base}`];
  const disk = parts.at(-1) ?? "";
  if (/^nvme\d+n\d+$/.test(disk)) {
    const namespace = read(`/sys/class/block/${disk}/nsid`);
    return namespace === undefined ? [] : [`${base}-nvme-${namespace}`];
  }
  const scsi = parts.findLast((part) => /^\d+:\d+:\d+:\d+$/.test(part));
  if (scsi === undefined) return [];
  const [, channel, target, lun] = scsi.split(":");
  const ata = parts.find((part) => /^ata\d+$/.test(part));
  if (ata !== undefined) {
    // Counted on each controller, unlike the kernel's name.
    const port = read(`/sys/class/ata_port/${ata}/port_no`);
    if (port === undefined) return [];
    // A channel other than 0 is a place behind a port multiplier.
    return [`${base}-ata-${port}.${channel === "0" ? target : `${channel}.0`}`, `${base}-ata-${port}`];
  }
  const usb = parts.findLast((part) => /^\d+-[\d.]+:\d+\.\d+$/.test(part));
  if (usb !== undefined)
    return [`${base}-usb-0:${usb.slice(usb.indexOf("-") + 1)}-scsi-0:${channel}:${target}:${lun}`];
  const address = `${base}-scsi-0:${channel}:${target}:${lun}`;
  return parts.some((part) => /^virtio\d+$/.test(part)) ? [address, `virtio-${address}`] : [address];
}

// udev's util_replace_chars() and whitespace rule: runs of blanks become one underscore, as does the unprintable.
function replaceChars(value: string): string {
  return value
    .trim()
    .replace(/\s+/g, "_")
    .replace(/[^0-9A-Za-z#+\-.:=@_/\x80-\xff]/g, "_")
    .replaceAll("/", "_");
}

function resolveLink(sys: Syscalls, path: string): string {
  try {
    return sys.readlink(path);
  } catch {
    return "";
  }
}

function attribute(sys: Syscalls, path: string): string | undefined {
  return readAttribute(sys, path)?.trim();
}
