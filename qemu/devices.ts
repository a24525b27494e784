/** QEMU's arguments for the disks of a guest. */

export type DiskInterface = "virtio-blk" | "virtio-scsi" | "nvme" | "ide" | "usb";

export interface Disk {
  readonly file: string;
  /** "raw" when left out. */
  readonly format?: "raw" | "qcow2";
  /** "virtio-blk" when left out. */
  readonly interface?: DiskInterface;
  /** Serial number as the guest sees it; "disk0", "disk1" and so on when left out. */
  readonly serial?: string;
  readonly readonly?: boolean;
  /** True when left out: what the guest writes is thrown away, so that no test changes a disk. */
  readonly snapshot?: boolean;
}

/**
 * How a disk of each interface hangs in a q35 machine: the controller it needs once, the device, and its bus.
 */
interface Attachment {
  readonly controller?: string;
  readonly device: string;
  /**
   * QEMU's name of the bus; "slot" is a PCI Express slot of its own, "port" the next of the board's SATA
   * ports.
   */
  readonly bus: string;
}

const INTERFACES: Readonly<Record<DiskInterface, Attachment>> = {
  "virtio-blk": { device: "virtio-blk-pci", bus: "slot" },
  nvme: { device: "nvme", bus: "slot" },
  "virtio-scsi": { controller: "virtio-scsi-pci,id=scsi", device: "scsi-hd", bus: "scsi.0" },
  usb: { controller: "qemu-xhci,id=xhci", device: "usb-storage", bus: "xhci.0" },
  ide: { device: "ide-hd", bus: "port" },
};

/**
 * Arguments that give a machine these disks, in their order, and the means to plug one disk in later for each
 * entry of `hotplug` (slots are named slot0, slot1 in its order).
 */
export function diskArguments(disks: readonly Disk[], hotplug: readonly DiskInterface[] = []): string[] {
  const argv: string[] = [];
  const used = new Set([...disks.map((disk) => disk.interface ?? "virtio-blk"), ...hotplug]);
  for (const name of used) {
    const { controller } = INTERFACES[name];
    if (controller !== undefined) argv.push("-device", controller);
  }
  const slots = hotplug.filter((name) => INTERFACES[name].bus === "slot").length;
  for (let slot = 0; slot < slots; slot++)
    argv.push("-device", `pcie-root-port,id=slot${slot},chassis=${slot + 1}`);
  let ports = 0;
  for (const [index, disk] of disks.entries()) {
    const { bus } = INTERFACES[disk.interface ?? "virtio-blk"];
    const place = bus === "slot" ? undefined : bus === "port" ? `ide.${ports++}` : bus;
    argv.push("-drive", driveOptions(disk, `drive${index}`));
    argv.push("-device", deviceOptions(disk, `disk${index}`, `drive${index}`, place));
  }
  return argv;
}

/** True when a disk of this interface takes a slot of its own to be plugged in. */
export function needsSlot(disk: Disk): boolean {
  return INTERFACES[disk.interface ?? "virtio-blk"].bus === "slot";
}

/** The -drive (or drive_add) options of a disk; a comma in a file name is doubled as QEMU wants it. */
export function driveOptions(disk: Disk, drive: string): string {
  const options = [
    `file=${disk.file.replaceAll(",", ",,")}`,
    `format=${disk.format ?? "raw"}`,
    `if=none,id=${drive},cache=unsafe`,
    disk.readonly === true ? "readonly=on" : `snapshot=${disk.snapshot === false ? "off" : "on"}`,
  ];
  return options.join(",");
}

/** The -device (or device_add) options of a disk; `bus` is QEMU's choice when undefined. */
export function deviceOptions(disk: Disk, id: string, drive: string, bus: string | undefined): string {
  const { device } = INTERFACES[disk.interface ?? "virtio-blk"];
  const options = [device, ...(bus === undefined ? [] : [`bus=${bus}`]), `id=${id}`, `drive=${drive}`];
  return [...options, `serial=${disk.serial ?? id}`].join(",");
}
