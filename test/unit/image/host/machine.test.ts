/** The examination of a machine as QEMU makes it: test/fixtures/machines/qemu.txt. */

import { describe, expect, test } from "bun:test";
import {
  type HostNeeds,
  allLayers,
  describeLayer,
  examineDevice,
  examineHost,
} from "../../../../src/image/host/examine.ts";
import { machineWithRoot, readListing } from "../../../fixtures/machines/load.ts";
import { MemoryTree } from "../../../fixtures/memory-tree.ts";

interface Case {
  readonly point: string;
  readonly sentence: string;
  readonly modules: readonly string[];
  /** Some of those that are taken if they are there. */
  readonly ifThere: readonly string[];
  readonly tools: readonly string[];
}

const BLK = "virtio:d00000002v00001AF4";

const CASES: readonly Case[] = [
  {
    point: "/mnt/root",
    sentence:
      "/ is ext4 on /dev/mapper/bootgroup-boot--root: LVM on md0 (raid1) on vda, vdb (virtio_blk, virtio_pci)",
    modules: ["ext4", "dm_mod", "md_mod", "raid1", "virtio_blk", "virtio_pci"],
    ifThere: ["fs-ext4", "md-raid1", BLK, "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00"],
    tools: ["fsck.ext4", "lvm", "mdadm"],
  },
  {
    point: "/mnt/pool",
    sentence: "/ is btrfs on nvme0n1p1 (nvme), sda (sd_mod, virtio_scsi, virtio_pci)",
    modules: ["btrfs", "nvme", "sd_mod", "virtio_scsi", "virtio_pci"],
    ifThere: ["fs-btrfs", "scsi:t-0x00", "pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02"],
    tools: ["btrfs"],
  },
  {
    point: "/mnt/secret",
    sentence: "/ is ext4 on /dev/mapper/clear: LUKS2 on sdb (sd_mod, ahci)",
    modules: ["ext4", "dm_mod", "dm_crypt", "sd_mod", "ahci"],
    ifThere: ["aesni_intel", "crypto-xts", "crypto-aes", "crypto-sha256", "algif_skcipher", "scsi:t-0x00"],
    tools: ["fsck.ext4", "cryptsetup"],
  },
  {
    point: "/mnt/stick",
    sentence: "/ is vfat on sdc1 (sd_mod, usb_storage, usbcore, xhci_pci)",
    modules: ["vfat", "sd_mod", "usb_storage", "usbcore", "xhci_pci"],
    ifThere: [
      ...["fs-vfat", "nls_cp437", "nls_ascii"],
      "usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00",
      "pci:v00001B36d0000000Dsv00001AF4sd00001100bc0Csc03i30",
    ],
    tools: ["fsck.vfat"],
  },
  {
    point: "/mnt/image",
    sentence:
      "/ is ext4 on /dev/loop0: the file /mnt/root/image on /mnt/root (ext4) on bootgroup-boot--root (LVM) " +
      "on md0 (raid1) on vda, vdb (virtio_blk, virtio_pci)",
    modules: ["ext4", "loop", "dm_mod", "md_mod", "raid1", "virtio_blk", "virtio_pci"],
    ifThere: [BLK],
    tools: ["fsck.ext4", "lvm", "mdadm"],
  },
  {
    point: "/mnt/share",
    sentence: "/ is 9p",
    modules: ["9p", "9pnet_virtio", "virtio_pci"],
    ifThere: ["fs-9p", "virtio:d00000009v00001AF4"],
    tools: [],
  },
];

describe("the root on", () => {
  for (const { point, sentence, modules, ifThere, tools } of CASES)
    test(point, () => {
      const needs = examineHost(machineWithRoot(point));
      expect(needs.layers.map(describeLayer)).toEqual([sentence]);
      expect(needs.part.modules).toEqual([...modules]);
      expect(needs.part.modulesIfThere).toEqual(expect.arrayContaining([...ifThere]));
      expect(needs.tools.map(({ name }) => name)).toEqual([...tools]);
      expect(needs.part.why).toBe("the root of this machine");
    });
});

test("UUIDs of arrays and LUKS headers are told", () => {
  const machine = machineWithRoot("/mnt/root");
  const uuids = (top: string) =>
    allLayers(examineDevice(machine, top).layers).map(({ kind, rdev, uuid }) => [kind, rdev, uuid]);
  expect(uuids("252:0")).toEqual([
    ["volume", "252:0", undefined],
    ["array", "9:0", "6a1c0de511aa22bb33cc44dd55ee66ff"],
    ["disk", "254:0", undefined],
    ["disk", "254:16", undefined],
  ]);
  expect(uuids("252:1")).toEqual([
    ["encryption", "252:1", "2f9e8d7c6b5a4c3d8e2f1a0b9c8d7e6f"],
    ["disk", "8:16", undefined],
  ]);
});

test("another device than the root", () => {
  const machine = machineWithRoot("/mnt/root");
  const { part, layers, tools } = examineDevice(machine, "8:33", "vfat");
  expect(layers.map(describeLayer)).toEqual([
    "/dev/sdc1 is vfat on sdc1 (sd_mod, usb_storage, usbcore, xhci_pci)",
  ]);
  expect(part.why).toBe("the disk /dev/sdc1");
  expect(part.modules).toContain("usb_storage");
  expect(tools).toEqual([{ name: "fsck.vfat", why: "/dev/sdc1 is vfat" }]);
  for (const rdev of ["8:99", "x", "8:33/..", ""])
    expect(() => examineDevice(machine, rdev)).toThrow(`This machine has no block device ${rdev}.`);
});

test("mounts besides the root, when they are mounts of their own", () => {
  const listing = readListing();
  const mountinfo = [
    "26 1 252:0 / / rw,relatime - ext4 /dev/bootgroup/boot-root rw",
    "29 26 8:33 / /usr rw,relatime - vfat /dev/sdc1 rw,codepage=437,iocharset=iso8859-1",
    "30 26 0:50 / /var rw - tmpfs tmpfs rw",
  ].join("\n");
  const machine = new MemoryTree({ ...listing, "proc/self/mountinfo": mountinfo });
  const usual = examineHost(machine);
  expect(usual.layers.map(({ node }) => node)).toEqual(["/", "/usr"]);
  expect(usual.part.modules).toContain("usb_storage");
  expect(usual.part.modulesIfThere).toContain("nls_iso8859-1");
  expect(usual.part.notes).toEqual([]);
  const more = examineHost(machine, ["/", "/var", "/etc"]);
  expect(more.layers.map(({ node }) => node)).toEqual(["/"]);
  expect(more.part.notes).toEqual([
    "/var is a tmpfs, which is in memory, so its drivers are not in the image.",
  ]);
});

function wakingFrom(resume: string): HostNeeds {
  const mountinfo = "26 1 252:0 / / rw,relatime - ext4 /dev/bootgroup/boot-root rw\n";
  const more = { "proc/self/mountinfo": mountinfo, "sys/power/resume": resume };
  return examineHost(new MemoryTree({ ...readListing(), ...more }));
}

describe("what it wakes from", () => {
  test("an encrypted volume of its own", () => {
    const { layers, part, tools } = wakingFrom("252:1\n");
    expect(layers.map(describeLayer).slice(1)).toEqual(["/dev/mapper/clear: LUKS2 on sdb (sd_mod, ahci)"]);
    expect(part.modules).toEqual(expect.arrayContaining(["dm_crypt", "ahci"]));
    expect(tools.map(({ name }) => name)).toEqual(["fsck.ext4", "lvm", "mdadm", "cryptsetup"]);
  });

  test.each(["0:0\n", "8:99\n", ""])("nothing (%j)", (resume) => {
    expect(wakingFrom(resume).layers.map(({ node }) => node)).toEqual(["/"]);
  });
});

test("its keyboards, and those that it may get", () => {
  const { keyboards } = examineHost(machineWithRoot("/mnt/root"));
  expect(keyboards.modules).toBeUndefined();
  const names = keyboards.modulesIfThere ?? [];
  expect(names).toEqual(
    expect.arrayContaining([
      ...["virtio_input", "virtio_pci", "hid_generic", "usbhid", "xhci_pci", "i8042", "atkbd", "ehci_pci"],
      ...["hid:b0003g0001v00000627p00000001", "serio:ty06pr00id00ex00", "virtio:d00000012v00001AF4"],
    ]),
  );
  expect(names.filter((name) => name.startsWith("input:"))).toEqual([]);
  expect(new Set(names).size).toBe(names.length);
});
