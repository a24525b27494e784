/** The network interfaces of machines that no guest of ours is. */

import { expect, test } from "bun:test";
import { examineInterfaces } from "../../../../src/image/host/interfaces.ts";
import { driven, type Files, machine } from "../../../fixtures/machines/fake.ts";
import { machineWithRoot } from "../../../fixtures/machines/load.ts";

/** An interface on a device of hardware. */
function card(name: string, place: string, files: Files = {}): Files {
  return {
    [`sys/class/net/${name}`]: `-> ../../devices/${place}/net/${name}`,
    [`sys/devices/${place}/net/${name}/device`]: "-> ../..",
    [`sys/devices/${place}/net/${name}/uevent`]: `INTERFACE=${name}\n`,
    ...files,
  };
}

/** One that others make. */
function made(name: string, type: string): Files {
  return {
    [`sys/class/net/${name}`]: `-> ../../devices/virtual/net/${name}`,
    [`sys/devices/virtual/net/${name}/uevent`]: `${type === "" ? "" : `DEVTYPE=${type}\n`}INTERFACE=${name}\n`,
  };
}

const PORT = "pci0000:00/0000:00:1c.0";
const NIC = `${PORT}/0000:01:00.0`;
const PHY = `${NIC}/mdio_bus/r8169-0-100/r8169-0-100:00`;
const R8169 = {
  ...card("enp1s0", NIC),
  ...driven(NIC, "pci", "r8169", "r8169"),
  ...driven(PORT, "pci", "pcieport"),
  [`sys/devices/${NIC}/modalias`]: "pci:v000010ECd00008168\n",
  ...driven(PHY, "mdio_bus", "RTL8211B Gigabit Ethernet", "realtek"),
};

test("a card, the buses that it hangs from, and its PHY", () => {
  const up = { [`sys/devices/${NIC}/net/enp1s0/phydev`]: `-> /sys/devices/${PHY}` };
  const { part, decisions } = examineInterfaces(machine(R8169, up));
  expect(part.modules).toEqual(["r8169", "realtek"]);
  expect(part.modulesIfThere).toContain("pci:v000010ECd00008168");
  expect(decisions).toEqual(["The interface enp1s0 is driven by r8169."]);
  expect(part.notes).toEqual([]);
});

test("an interface that is down has no PHY, but the bus of PHYs has", () => {
  const down = { "sys/bus/mdio_bus/devices/r8169-0-100:00": `-> ../../../devices/${PHY}` };
  expect(examineInterfaces(machine(R8169, down)).part.modules).toEqual(["r8169", "realtek"]);
});

test("a driver that is built in is told by the kernel's name for it, and asked for by its modalias", () => {
  const files = {
    ...card("eth0", "pci0000:00/0000:00:03.0/virtio2"),
    ...driven("pci0000:00/0000:00:03.0/virtio2", "virtio", "virtio_net"),
    "sys/devices/pci0000:00/0000:00:03.0/virtio2/modalias": "virtio:d00000001v00001AF4\n",
  };
  const { part, decisions } = examineInterfaces(machine(files));
  expect([part.modules, part.modulesIfThere]).toEqual([[], ["virtio:d00000001v00001AF4"]]);
  expect(decisions).toEqual(["The interface eth0 is driven by virtio_net."]);
});

test("bonds, bridges and VLANs are told by who makes them; wireless and other interfaces are left out", () => {
  const files = [made("lo", ""), made("bond0", "bond"), made("br0", "bridge"), made("bond0.5", "vlan")];
  const air = { ...card("wlan0", NIC), ...driven(NIC, "pci", "iwlwifi", "iwlwifi") };
  const { part, decisions } = examineInterfaces(
    machine(...files, made("x", "constructor"), air, {
      [`sys/devices/${NIC}/net/wlan0/uevent`]: "DEVTYPE=wlan\nINTERFACE=wlan0\n",
      // A file that the kernel has there besides the interfaces.
      "sys/class/net/bonding_masters": "bond0\n",
    }),
  );
  expect(part.modules).toEqual([]);
  expect(part.modulesIfThere).toEqual(["bonding", "8021q", "bridge"]);
  expect(decisions).toEqual([
    "The interface bond0 is made by bonding.",
    "The interface bond0.5 is made by 8021q.",
    "The interface br0 is made by bridge.",
    "The interface wlan0 is wireless, and is left out.",
  ]);
  expect(part.notes).toEqual(["This machine has no wired network interface whose driver can be told."]);
});

test("a wireless interface is told by its radio, too, where its kernel gives it no type", () => {
  const radio = {
    [`sys/devices/${NIC}/net/wlan0/phy80211`]: "-> ../../ieee80211/phy0",
    [`sys/devices/${NIC}/ieee80211/phy0/name`]: "phy0\n",
  };
  const { part, decisions } = examineInterfaces(
    machine(card("wlan0", NIC), driven(NIC, "pci", "iwlwifi", "iwlwifi"), radio),
  );
  expect(part.modules).toEqual([]);
  expect(decisions).toEqual(["The interface wlan0 is wireless, and is left out."]);
});

test("the cards, the VLAN and the bridge of a guest", () => {
  const { part, cards, decisions } = examineInterfaces(machineWithRoot("/mnt/root"));
  expect(part.modules).toEqual(["virtio_net", "virtio_pci", "e1000e"]);
  expect(part.modulesIfThere).toEqual(expect.arrayContaining(["bridge", "8021q"]));
  expect(cards).toEqual([
    { name: "eth0", drivers: ["virtio_net", "virtio:d00000001v00001AF4"] },
    { name: "eth1", drivers: ["e1000e", expect.stringMatching(/^pci:v00008086d000010D3/)] },
  ]);
  expect(decisions).toEqual([
    "The interface br0 is made by bridge.",
    "The interface eth0 is driven by virtio_net.",
    "The interface eth0.5 is made by 8021q.",
    "The interface eth1 is driven by e1000e.",
  ]);
});
