/** What sysfs tells of a card, from which come the names that it has in the real system. */

import { O_CLOEXEC, O_RDONLY, SysError, type Syscalls } from "../../../syscalls/index.ts";
import type { Link } from "../../../syscalls/rtnetlink/index.ts";
import { pciDeviceOf, predictableNames } from "../../network/predictable-names.ts";
import { namesIn, readAttribute } from "../devices/attributes.ts";

/** The names that udev would give to a card, those first that it prefers; none for other links. */
export function namesOfCard(sys: Syscalls, { name, type, permanentMac }: Link): string[] {
  const path = devicePath(sys, name);
  if (path === undefined) return [];
  const own = (file: string): string => readAttribute(sys, `/sys/class/net/${name}/${file}`) ?? "";
  const pci = pciDeviceOf(path);
  const ofPci = (file: string): string | undefined =>
    pci === undefined ? undefined : readAttribute(sys, `${pci}/${file}`);
  return predictableNames({
    path,
    isInfiniband: type === INFINIBAND,
    uevent: own("uevent"),
    permanentMac,
    portName: own("phys_port_name"),
    port: own("dev_port"),
    onboardIndex: ofPci("acpi_index") ?? ofPci("index") ?? "",
    headerType: pci === undefined ? 0 : readByte(sys, `${pci}/config`, HEADER_TYPE),
    slots: namesIn(sys, SLOTS).map((slot) => ({
      name: slot,
      address: readAttribute(sys, `${SLOTS}/${slot}/address`) ?? "",
    })),
  });
}

// /sys/class/net/eth0 leads to ../../devices/pci0000:00/0000:00:03.0/virtio0/net/eth0.
function devicePath(sys: Syscalls, name: string): string | undefined {
  try {
    const target = sys.readlink(`/sys/class/net/${name}`);
    return /^\.\.\/\.\.(\/devices\/.*)\/net\/[^/]+$/.exec(target)?.[1]?.replace(/^/, "/sys");
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
}

// Of the configuration the kernel asks the device itself, so no more of it is read than counts.
function readByte(sys: Syscalls, path: string, at: number): number {
  try {
    const fd = sys.open(path, O_RDONLY | O_CLOEXEC);
    try {
      const bytes = new Uint8Array(at + 1);
      return sys.read(fd, bytes) > at ? (bytes[at] ?? 0) : 0;
    } finally {
      sys.close(fd);
    }
  } catch (error) {
    if (error instanceof SysError) return 0;
    throw error;
  }
}

/** ARPHRD_INFINIBAND */
export const INFINIBAND = 32;
const SLOTS = "/sys/bus/pci/slots";
/** PCI_HEADER_TYPE of linux/pci_regs.h. */
const HEADER_TYPE = 14;
