/**
 * The names that udev gives to cards in the real system, so that ip=enp0s3:dhcp means what people see there. Follows
 * systemd.net-naming-scheme(7) as of systemd 252, for PCI, USB, Xen and hardware addresses.
 */

import { isLinkName } from "./link-names.ts";

/** What sysfs tells of a card; "" for a file that can't be read. */
export interface CardFacts {
  /** The place of its device: /sys/devices/pci0000:00/0000:00:03.0/virtio0. */
  readonly path: string;
  readonly isInfiniband: boolean;
  /** The file uevent of the interface: DEVTYPE=wlan tells a radio. */
  readonly uevent: string;
  /** The address that it was made with. */
  readonly permanentMac: string;
  /** The files phys_port_name and dev_port of the interface. */
  readonly portName: string;
  readonly port: string;
  /** The file acpi_index, or else index, of the PCI device. */
  readonly onboardIndex: string;
  /** Byte 14 of the PCI device's configuration. */
  readonly headerType: number;
  /** The directories in /sys/bus/pci/slots with what their file address says: 0000:00:03. */
  readonly slots: readonly { readonly name: string; readonly address: string }[];
}

/** The names, those first that udev prefers: of the firmware's index, of the slot, of the place, of the address. */
export function predictableNames(card: CardFacts): string[] {
  const names = [...pciNames(card), ...xenNames(card), ...macNames(card)];
  return names.map((name) => prefixOf(card) + name).filter(isLinkName);
}

/** The PCI device that a card is, or is plugged into: /sys/devices/…/0000:00:03.0; undefined when there is none. */
export function pciDeviceOf(path: string): string | undefined {
  return new RegExp(`^.*/${PCI}(?=/|$)`).exec(path)?.[0];
}

function prefixOf({ isInfiniband, uevent }: CardFacts): string {
  if (isInfiniband) return "ib";
  const type = /^DEVTYPE=(\w+)$/m.exec(uevent)?.[1];
  return type === "wlan" ? "wl" : type === "wwan" ? "ww" : "en";
}

function pciNames(card: CardFacts): string[] {
  const device = pciDeviceOf(card.path);
  const address = device?.slice(device.lastIndexOf("/") + 1);
  const fields = address?.match(/^([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)\.([0-9a-f]+)$/)?.slice(1);
  if (device === undefined || address === undefined || fields === undefined) return [];
  const [domainNumber = 0, bus = 0, slot = 0, func = 0] = fields.map((hex) => Number.parseInt(hex, 16));
  const usb = usbPart(card.path.slice(device.length));
  // On another bus below, such as that of a modem inside, the place of the PCI device alone names nothing.
  if (usb === undefined) return [];
  const isMultiple = func > 0 || (card.headerType & MULTIFUNCTION) !== 0;
  const behind = `${isMultiple ? `f${func}` : ""}${portPart(card)}${usb}`;
  const domain = domainNumber > 0 ? `P${domainNumber}` : "";
  const index = /^\d{1,5}$/.test(card.onboardIndex) ? Number(card.onboardIndex) : 0;
  const hotplug = slotName(card, device, isMultiple);
  return [
    ...(index > 0 && index < 1 << 14 && usb === "" ? [`o${index}${portPart(card)}`] : []),
    ...(hotplug === undefined ? [] : [`${domain}s${hotplug}${behind}`]),
    `${domain}p${bus}s${slot}${behind}`,
  ];
}

// A slot is that of the device, or of a bridge above it: then functions alone can tell several cards apart.
function slotName({ slots }: CardFacts, device: string, isMultiple: boolean): number | undefined {
  const above = device.split("/").toReversed();
  for (const [at, part] of above.entries()) {
    const found = slots.find(
      ({ name, address }) => /^[1-9]\d*$/.test(name) && part.startsWith(`${address}.`),
    );
    if (found !== undefined) return at === 0 || isMultiple ? Number(found.name) : undefined;
  }
  return undefined;
}

function portPart({ portName, port }: CardFacts): string {
  if (portName !== "") return `n${portName}`;
  return /^[1-9]\d*$/.test(port) ? `d${port}` : "";
}

// What follows the PCI device: nothing, virtio's own, or a chain of ports of USB, as in /usb2/2-1/2-1.4/2-1.4:1.6.
function usbPart(below: string): string | undefined {
  if (/^(?:\/virtio\d+)?$/.test(below)) return "";
  const found = /\/usb\d+\/(?:.*\/)?\d+-([\d.]+):(\d+)\.(\d+)$/.exec(below);
  if (found === null) return undefined;
  const [, ports = "", config, part] = found;
  const chain = ports.split(".").map((one) => `u${one}`);
  return `${chain.join("")}${config === "1" ? "" : `c${config}`}${part === "0" ? "" : `i${part}`}`;
}

function xenNames({ path }: CardFacts): string[] {
  const number = /\/vif-(\d+)$/.exec(path)?.[1];
  return number === undefined ? [] : [`X${number}`];
}

function macNames({ permanentMac }: CardFacts): string[] {
  return /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(permanentMac)
    ? [`x${permanentMac.replaceAll(":", "")}`]
    : [];
}

const PCI = "[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-9a-f]+";
const MULTIFUNCTION = 0x80;
