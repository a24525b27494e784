/** Disks of hardware that QEMU has not, and devices that are no hardware. */

import { describe, expect, test } from "bun:test";
import { device, disk, driven, loaded, virtual } from "../../../fixtures/machines/fake.ts";

describe("disks", () => {
  test("NVMe with several paths hangs from its controllers", () => {
    const found = device("259:7", {
      "sys/dev/block/259:7": "-> ../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1",
      "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/dev": "259:7\n",
      "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0":
        "-> /sys/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e1:00.0/nvme/nvme0",
      "sys/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e1:00.0/nvme/nvme0/transport": "pcie\n",
      ...driven("pci0000:00/0000:00:0e.0/pci10000:e0/10000:e1:00.0", "pci", "nvme", "nvme"),
      ...driven("pci0000:00/0000:00:0e.0", "pci", "vmd", "vmd"),
    });
    expect(found.sentence).toBe("/dev/nvme0n1 (nvme, vmd)");
    expect(found.modules).toEqual(["nvme", "vmd"]);
  });
  test("NVMe and SCSI over the network", () => {
    const nvme = device("259:7", {
      "sys/dev/block/259:7": "-> ../../devices/virtual/nvme-fabrics/ctl/nvme3/nvme3n1",
      "sys/devices/virtual/nvme-fabrics/ctl/nvme3/nvme3n1/dev": "259:7\n",
      "sys/devices/virtual/nvme-fabrics/ctl/nvme3/transport": "tcp\n",
      ...loaded("nvme_tcp"),
    });
    expect(nvme.modules).toEqual(["nvme_tcp"]);
    expect(nvme.notes).toEqual([
      "/dev/nvme3n1 is a disk over the network (nvme_tcp), which must be up before.",
    ]);
    const iscsi = device("8:32", {
      ...disk("sdc", "8:32", "platform/host9/session1/target9:0:0/9:0:0:0"),
      "sys/devices/platform/host9/scsi_host/host9/proc_name": "iscsi_tcp\n",
      "sys/class/block/sdc/device": "-> ../..",
      ...loaded("iscsi_tcp"),
    });
    expect(iscsi.modules).toEqual(["iscsi_tcp"]);
    expect(iscsi.notes).toHaveLength(1);
    expect(iscsi.tools).toEqual(["iscsistart"]);
  });
  test("drivers that are built in are told by name, and found by modalias", () => {
    const found = device("179:0", {
      ...disk("mmcblk0", "179:0", "pci0000:00/0000:00:1c.0/mmc_host/mmc0/mmc0:0001"),
      ...driven("pci0000:00/0000:00:1c.0/mmc_host/mmc0/mmc0:0001", "mmc", "mmcblk"),
      ...driven("pci0000:00/0000:00:1c.0", "pci", "sdhci-pci"),
      "sys/devices/pci0000:00/0000:00:1c.0/mmc_host/mmc0/mmc0:0001/modalias": "mmc:block\n",
      "sys/devices/pci0000:00/0000:00:1c.0/modalias": "pci:v00008086d0000 05AA\n",
    });
    expect(found.sentence).toBe("/dev/mmcblk0 (mmcblk, sdhci-pci)");
    expect(found.modules).toEqual([]);
    expect(found.ifThere).toEqual(["mmc:block", "pci:v00008086d0000 05AA"]);
  });
  test("suppliers are taken along, also in circles", () => {
    const found = device("8:0", {
      "sys/devices/pci0000:00/0000:00:1f.2/supplier:platform:gpio": "-> /sys/devices/virtual/devlink/link",
      "sys/devices/virtual/devlink/link/supplier": "-> /sys/devices/platform/gpio",
      "sys/devices/platform/gpio/supplier:pci:x": "-> /sys/devices/virtual/devlink/back",
      "sys/devices/virtual/devlink/back/supplier": "-> /sys/devices/pci0000:00/0000:00:1f.2",
      ...driven("platform/gpio", "platform", "pinctrl-x", "pinctrl_x"),
    });
    expect(found.modules).toEqual(["ahci", "pinctrl_x"]);
  });
  test("a handler of several paths", () => {
    const state =
      "sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda/device/dh_state";
    expect(device("8:0", { [state]: "alua\n" }).ifThere).toContain("scsi_dh_alua");
    expect(device("8:0", { [state]: "detached\n" }).ifThere).toEqual(["pci:v00008086d00002922"]);
  });
  test("bcache, zram, nbd and old names", () => {
    const found = device("252:0", virtual("bcache0", "252:0", ["sda"]));
    expect(found.sentence).toBe("/dev/bcache0: bcache on sda (ahci)");
    expect(found.notes).toHaveLength(1);
    expect(device("252:1", virtual("nbd0", "252:1", [])).ifThere).toContain("nbd");
    expect(device("104:0", virtual("cciss!c0d0", "104:0", [])).layers[0]?.node).toBe("/dev/cciss/c0d0");
  });
});
