/** The names of systemd.net-naming-scheme(7), with its examples. */

import { describe, expect, test } from "bun:test";
import { type CardFacts, pciDeviceOf, predictableNames } from "../../../src/network/predictable-names.ts";

const plain: CardFacts = {
  path: "/sys/devices/pci0000:00/0000:00:03.0/virtio2",
  isInfiniband: false,
  uevent: "INTERFACE=eth0\nIFINDEX=2\n",
  permanentMac: "",
  portName: "",
  port: "0",
  onboardIndex: "",
  headerType: 0,
  slots: [],
};

function names(path: string, more: Partial<CardFacts> = {}): string[] {
  return predictableNames({ ...plain, path: `/sys/devices/${path}`, ...more });
}

describe("the examples of the manual", () => {
  test("a card in a slot", () => {
    expect(
      names("pci0000:00/0000:00:1c.3/0000:05:00.0", {
        permanentMac: "00:00:00:00:04:66",
        slots: [
          { name: "0", address: "0000:05:00" },
          { name: "1", address: "0000:05:00" },
        ],
      }),
    ).toEqual(["ens1", "enp5s0", "enx000000000466"]);
  });
  test("a card with two functions", () => {
    const two = { headerType: 0x80 };
    expect(names("pci0000:00/0000:00:1c.0/0000:02:00.0", two)).toEqual(["enp2s0f0"]);
    expect(names("pci0000:00/0000:00:1c.0/0000:02:00.1")).toEqual(["enp2s0f1"]);
  });
  test("radio, InfiniBand, USB", () => {
    expect(
      names("pci0000:00/0000:00:1c.1/0000:03:00.0", { uevent: "DEVTYPE=wlan\nINTERFACE=wlan0\n" }),
    ).toEqual(["wlp3s0"]);
    expect(names("pci0000:00/0000:00:03.0/0000:15:00.1", { isInfiniband: true })).toEqual(["ibp21s0f1"]);
    expect(names("pci0000:00/0000:00:1d.0/usb2/2-1/2-1.4/2-1.4:1.6", { uevent: "DEVTYPE=wwan\n" })).toEqual([
      "wwp0s29u1u4i6",
    ]);
    expect(names("pci0000:00/0000:00:1d.0/usb2/2-1/2-1.2/2-1.2:1.0")).toEqual(["enp0s29u1u2"]);
    expect(names("pci0000:00/0000:00:1d.0/usb2/2-3/2-3:2.0")).toEqual(["enp0s29u3c2"]);
  });
});

test("a card of the firmware's, several ports, another domain", () => {
  expect(names("pci0000:00/0000:00:1f.6", { onboardIndex: "1", permanentMac: "54:ee:75:cb:1d:c0" })).toEqual([
    "eno1",
    "enp0s31f6",
    "enx54ee75cb1dc0",
  ]);
  expect(names("pci0000:00/0000:00:02.0", { onboardIndex: "16384" })).toEqual(["enp0s2"]);
  expect(names("pci0001:00/0001:01:00.0", { port: "1" })).toEqual(["enP1p1s0d1"]);
  expect(names("pci0000:00/0000:00:02.0", { portName: "p0", port: "1" })).toEqual(["enp0s2np0"]);
});

test("a slot of a bridge names a card only by its function", () => {
  const slots = [{ name: "3", address: "0000:00:1c" }];
  expect(names("pci0000:00/0000:00:1c.0/0000:02:00.0", { slots })).toEqual(["enp2s0"]);
  expect(names("pci0000:00/0000:00:1c.0/0000:02:00.1", { slots })).toEqual(["ens3f1", "enp2s0f1"]);
});

test("virtio, Xen, and what has no place", () => {
  expect(names("pci0000:00/0000:00:03.0/virtio2")).toEqual(["enp0s3"]);
  expect(names("vif-0")).toEqual(["enX0"]);
  expect(names("virtual/x")).toEqual([]);
  expect(names("platform/soc/1c30000.ethernet", { permanentMac: "02:00:00:00:00:01" })).toEqual([
    "enx020000000001",
  ]);
  // Too long for the kernel.
  expect(names("pci10000:00/10000:e1:00.0/usb2/2-1/2-1.4/2-1.4.3/2-1.4.3:1.6")).toEqual([]);
});

test("the PCI device above a card", () => {
  expect(pciDeviceOf("/sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.1/virtio3")).toBe(
    "/sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.1",
  );
  expect(pciDeviceOf("/sys/devices/vif-0")).toBeUndefined();
});
