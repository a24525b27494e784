/** The drivers of keyboards, for a passphrase or the rescue shell: those of this machine, and the usual ones. */

import type { FileTree } from "../file-tree.ts";
import type { Part } from "../part.ts";
import { driverModules, driversAbove } from "./devices.ts";
import { attribute, isLoaded } from "./sysfs.ts";

/** What a keyboard of this machine may need in another kernel, or one that is plugged in later. */
export function keyboardPart(root: FileTree): Part {
  const inputs = root
    .list("/sys/class/input")
    .map((name) => `/sys/class/input/${name}`)
    .filter((path) => isKeyboard(attribute(root, `${path}/capabilities/key`) ?? ""));
  const controllers = root
    .list("/sys/bus/pci/devices")
    .map((name) => `/sys/bus/pci/devices/${name}`)
    .filter((path) => attribute(root, `${path}/class`)?.startsWith(USB_CONTROLLER) === true);
  const drivers = [...inputs, ...controllers].flatMap((path) => driversAbove(root, path));
  const { modules, modulesIfThere } = driverModules(root, drivers);
  return {
    why: "the keyboards of this machine",
    modulesIfThere: [
      ...new Set([
        ...modules,
        // What reads an input device (evdev, joydev) is not what makes it.
        ...modulesIfThere.filter((name) => !name.startsWith("input:")),
        ...ALWAYS,
        ...(controllers.length > 0 ? USB_DRIVERS : []),
        ...BESIDE.filter(([, isThere]) => isThere(root)).flatMap(([names]) => names),
        ...root.list("/sys/module").filter((name) => name.startsWith("pinctrl_") && isLoaded(root, name)),
      ]),
    ],
  };
}

/**
 * True when these keys are those of a keyboard: numbers 1 to 31, from Esc to S, as udev's input_id judges it.
 * `capabilities` are the words of the bit map in hexadecimal digits, the last with the lowest bits.
 */
export function isKeyboard(capabilities: string): boolean {
  const lowest = capabilities.split(" ").at(-1) ?? "";
  return /^[0-9a-f]{1,16}$/.test(lowest) && (BigInt(`0x${lowest}`) & 0xffff_fffen) === 0xffff_fffen;
}

/** The class of a PCI device that is a USB host controller of any kind (linux/pci_ids.h). */
const USB_CONTROLLER = "0x0c03";

const USB_DRIVERS: readonly string[] = ["xhci_pci", "xhci_pci_renesas", "ehci_pci", "ohci_pci", "uhci_hcd"];

const ALWAYS: readonly string[] = ["usbhid", "hid_generic", "i8042", "atkbd"];

/** What keyboards need and do not hang from. */
const BESIDE: readonly (readonly [names: readonly string[], isThere: (root: FileTree) => boolean])[] = [
  // On some laptops the keyboard is dead until somebody has spoken to the touchpad.
  [["psmouse"], (root) => isLoaded(root, "psmouse")],
  [["thunderbolt"], (root) => root.list("/sys/bus/thunderbolt/devices").length > 0],
  [["virtio_input"], (root) => isLoaded(root, "virtio_input")],
  [["hid_hyperv", "hyperv_keyboard"], (root) => root.resolve("/sys/bus/vmbus") !== undefined],
];
