import { describe, expect, test } from "bun:test";
import type { BlockDevice } from "../../../../src/boot/devices/blockdevice.ts";
import { deviceLinks, pathIds } from "../../../../src/boot/devices/devicelinks.ts";
import { toBytes } from "../../../../src/lib/bytes.ts";
import { type Tree, fakeKernel, file, symlink } from "../../../../syscalls/fake.ts";

/** Paths as the kernel lays them out, and what systemd's path_id and 60-persistent-storage.rules make of them. */
const q35 = "../../devices/pci0000:00/0000:00";
const paths: readonly (readonly [string, string, readonly string[], Readonly<Record<string, string>>?])[] = [
  ["virtio-blk", `${q35}:02.0/virtio1/block/vda`, ["pci-0000:00:02.0", "virtio-pci-0000:00:02.0"]],
  [
    "virtio-blk behind a bridge",
    `${q35}:1e.0/0000:01:01.0/virtio0/block/vdb`,
    ["pci-0000:01:01.0", "virtio-pci-0000:01:01.0"],
  ],
  [
    "virtio-scsi",
    `${q35}:05.0/virtio2/host6/target6:0:1/6:0:1:2/block/sdb`,
    ["pci-0000:00:05.0-scsi-0:0:1:2", "virtio-pci-0000:00:05.0-scsi-0:0:1:2"],
  ],
  ["a SCSI adapter", `${q35}:07.0/host2/target2:0:3/2:0:3:0/block/sda`, ["pci-0000:00:07.0-scsi-0:0:3:0"]],
  [
    "AHCI",
    `${q35}:1f.2/ata2/host1/target1:0:0/1:0:0:0/block/sda`,
    ["pci-0000:00:1f.2-ata-2.0", "pci-0000:00:1f.2-ata-2"],
    { "/sys/class/ata_port/ata2/port_no": "2" },
  ],
  [
    "a second AHCI, whose ports the kernel numbers on",
    `${q35}:1c.0/0000:03:00.0/ata7/host6/target6:0:0/6:0:0:0/block/sdb`,
    ["pci-0000:03:00.0-ata-1.0", "pci-0000:03:00.0-ata-1"],
    { "/sys/class/ata_port/ata7/port_no": "1" },
  ],
  [
    "the slave of an IDE channel",
    `${q35}:01.1/ata1/host0/target0:0:1/0:0:1:0/block/sr0`,
    ["pci-0000:00:01.1-ata-1.1", "pci-0000:00:01.1-ata-1"],
    { "/sys/class/ata_port/ata1/port_no": "1" },
  ],
  [
    "behind a SATA port multiplier",
    `${q35}:1f.2/ata3/host2/target2:3:0/2:3:0:0/block/sdc`,
    ["pci-0000:00:1f.2-ata-3.3.0", "pci-0000:00:1f.2-ata-3"],
    { "/sys/class/ata_port/ata3/port_no": "3" },
  ],
  [
    "NVMe",
    `${q35}:1d.0/0000:04:00.0/nvme/nvme0/nvme0n1`,
    ["pci-0000:04:00.0-nvme-5"],
    { "/sys/class/block/nvme0n1/nsid": "5" },
  ],
  [
    "NVMe in a domain of its own (VMD)",
    "../../devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme/nvme0/nvme0n1",
    ["pci-10000:e1:00.0-nvme-1"],
    { "/sys/class/block/nvme0n1/nsid": "1" },
  ],
  [
    "USB",
    `${q35}:14.0/usb2/2-1/2-1:1.0/host8/target8:0:0/8:0:0:0/block/sdd`,
    ["pci-0000:00:14.0-usb-0:1:1.0-scsi-0:0:0:0"],
  ],
  [
    "USB behind a hub",
    `${q35}:14.0/usb1/1-4/1-4.2/1-4.2:1.1/host8/target8:0:0/8:0:0:1/block/sdd`,
    ["pci-0000:00:14.0-usb-0:4.2:1.1-scsi-0:0:0:1"],
  ],
  ["a loop device", "../../devices/virtual/block/loop0", []],
  ["a device-mapper device", "../../devices/virtual/block/dm-0", []],
  ["multipath NVMe", "../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1", []],
  ["a card reader, whose driver tells no address", `${q35}:1a.0/mmc_host/mmc0/mmc0:0001/block/mmcblk0`, []],
  ["a path that could not be read", "", []],
];

describe("by-path names", () => {
  for (const [name, path, expected, attributes = {}] of paths)
    test(name, () => expect(pathIds(path, (wanted) => attributes[wanted])).toEqual([...expected]));

  test("none without what sysfs must tell", () => {
    const [ahci, nvme] = [paths[4]?.[1] ?? "", paths[8]?.[1] ?? ""];
    expect([...pathIds(ahci, () => undefined), ...pathIds(nvme, () => undefined)]).toEqual([]);
  });
});

/** A disk, or the partition of one, in a sysfs that holds these files in the disk's directory. */
function links(disk: string, files: Tree, partition?: number, more: Partial<BlockDevice> = {}): string[] {
  const directory = { ...files };
  const { sys } = fakeKernel({
    rootfs: {
      sys: {
        devices: { virtual: { block: { [disk]: directory } } },
        class: { block: { [disk]: symlink(`../../devices/virtual/block/${disk}`) } },
      },
    },
  });
  const name = partition === undefined ? disk : `${disk}${partition}`;
  return deviceLinks(sys, {
    name,
    node: `/dev/${name}`,
    rdev: "8:0",
    size_bytes: 1,
    partition: partition === undefined ? undefined : { number: partition, name: undefined, disk },
    dmName: undefined,
    contents: async () => ({ found: undefined, problem: undefined }),
    table: async () => undefined,
    ...more,
  }).map((link) => link.replace("disk/by-id/", ""));
}

/** Page 0x89 as libata gives it: IDENTIFY data, whose text has each two letters swapped. */
function identity(model: string, serial: string): Uint8Array {
  const page = new Uint8Array(572);
  page.set(toBytes("\0\x89\x02\x38    linux   "));
  page.set(swapPairs(serial.padStart(20)), 60 + 20);
  page.set(swapPairs(model.padEnd(40)), 60 + 54);
  return page;
}

function swapPairs(text: string): Uint8Array {
  return toBytes(text.replace(/(.)(.)/g, "$2$1"));
}

describe("by-id names", () => {
  test("virtio-blk, its partition too", () => {
    expect(links("vda", { serial: "root disk" })).toEqual(["virtio-root_disk"]);
    expect(links("vda", { serial: "root" }, 2)).toEqual(["virtio-root-part2"]);
    expect(links("vda", { serial: "" })).toEqual([]);
    expect(links("vda", {})).toEqual([]);
  });

  test("an ATA drive by its whole name, of which SCSI knows but the beginning", () => {
    const device = {
      vendor: "ATA     \n",
      model: "Samsung SSD 860 \n",
      vpd_pg80: file("\0\x80\0\x14      S3Z9NB0K12345"),
      vpd_pg89: file(identity("Samsung SSD 860 EVO 500GB", "S3Z9NB0K12345")),
      wwid: "naa.5002538e4034abcd\n",
    };
    expect(links("sda", { device }, 1)).toEqual([
      "ata-Samsung_SSD_860_EVO_500GB_S3Z9NB0K12345-part1",
      "wwn-0x5002538e4034abcd-part1",
      "scsi-35002538e4034abcd-part1",
    ]);
    const { vpd_pg89: _, ...older } = device;
    expect(links("sda", { device: older })[0]).toBe("ata-Samsung_SSD_860_S3Z9NB0K12345");
  });

  test("a drive whose page is cut short is named from what is whole", () => {
    const device = { vendor: "ATA", model: "QEMU HARDDISK", vpd_pg80: file("\0\x80\0\x07QM00001") };
    for (const length of [0, 4, 60, 153])
      expect(
        links("sda", { device: { ...device, vpd_pg89: file(identity("x", "y").slice(0, length)) } })[0],
      ).toBe("ata-QEMU_HARDDISK_QM00001");
  });

  test("SCSI", () => {
    const device = { vendor: "QEMU", model: "QEMU HARDDISK", vpd_pg80: file("\0\x80\0\x04disk") };
    expect(links("sdb", { device })).toEqual([
      "scsi-SQEMU_QEMU_HARDDISK_disk",
      "scsi-0QEMU_QEMU_HARDDISK_disk",
    ]);
    expect(links("sdb", { device: { wwid: "eui.0025385b71b00a1c" } })).toEqual(["scsi-20025385b71b00a1c"]);
    expect(links("sdb", { device: { wwid: "t10.ATA  disk" } })).toEqual(["scsi-1ATA_disk"]);
  });

  test("NVMe", () => {
    const files = { wwid: "eui.0025\n", device: { model: "Fast  Disk/1 \n", serial: "S1 \n" } };
    const names = ["nvme-eui.0025", "nvme-Fast_Disk_1_S1"];
    expect(links("nvme0n1", files)).toEqual(names);
    // The second name of a drive with namespaces, which is the first that newer systems show.
    expect(links("nvme0n1", { ...files, nsid: "1\n" })).toEqual([...names, "nvme-Fast_Disk_1_S1_1"]);
  });

  test("cards, arrays and mappings", () => {
    expect(links("mmcblk0", { device: { name: "SC16G", serial: "0x12" } })).toEqual(["mmc-SC16G_0x12"]);
    expect(links("md0", { md: { uuid: "a:b:c:d" } })).toEqual(["md-uuid-a:b:c:d"]);
    expect(links("dm-0", { dm: { uuid: "LVM-x\n" } }, undefined, { dmName: "vg-root" })).toEqual([
      "dm-name-vg-root",
      "dm-uuid-LVM-x",
    ]);
  });

  test("none for what has no name", () => expect(links("loop0", {})).toEqual([]));
});
