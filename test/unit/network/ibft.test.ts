/** ip=ibft: the firmware's table in the place of words. */

import { expect, test } from "bun:test";
import { parseCommandLine } from "../../../src/boot/cmdline/cmdline.ts";
import { type IbftNic, withIbft } from "../../../src/network/ibft.ts";
import { readNetworkSettings } from "../../../src/network/settings.ts";

/** As Linux 6.1 shows a table with a fixed address. */
const fixed: IbftNic = {
  mac: "52:54:00:12:34:56\n",
  flags: "3\n",
  vlan: "0\n",
  "ip-addr": "10.0.2.15\n",
  "prefix-len": "24\n",
  "subnet-mask": "255.255.255.0",
  gateway: "10.0.2.2\n",
  "primary-dns": "10.0.2.3\n",
  "secondary-dns": "0.0.0.0\n",
  origin: "1\n",
  hostname: "web\n",
};

function read(line: string, ...nics: readonly IbftNic[]): ReturnType<typeof withIbft> {
  return withIbft(readNetworkSettings(parseCommandLine(line)).settings, nics);
}

const card = { by: "mac", mac: "52:54:00:12:34:56" } as const;

test("a fixed address", () => {
  const { settings, problem } = read("ip=ibft", fixed);
  expect(problem).toBeUndefined();
  expect(settings.interfaces).toMatchObject([
    {
      link: card,
      methods: [],
      addresses: [{ family: 4, address: "10.0.2.15", prefix: 24 }],
      gateways: ["10.0.2.2"],
      nameservers: ["10.0.2.3"],
      hostName: "web",
    },
  ]);
  expect(settings.bootLink).toEqual(card);
});

test("DHCP, of either family", () => {
  expect(read("ip=ibft", { ...fixed, origin: "3\n" }).settings.interfaces).toMatchObject([
    { link: card, methods: ["dhcp"], addresses: [] },
  ]);
  expect(read("ip=ibft", { ...fixed, dhcp: "10.0.2.2\n" }).settings.interfaces).toMatchObject([
    { methods: ["dhcp"] },
  ]);
  const six = { ...fixed, origin: "3\n", "ip-addr": "fd00:0000:0000:0000:0000:0000:0000:0015\n" };
  expect(read("ip=ibft", six).settings.interfaces).toMatchObject([{ methods: ["dhcp6"] }]);
});

test("IPv6 in the kernel's spelling", () => {
  const six = {
    ...fixed,
    "ip-addr": "2001:0db8:0000:0000:0000:0000:0000:0015\n",
    "prefix-len": "0\n",
    gateway: "",
  };
  expect(read("ip=ibft", six).settings.interfaces).toMatchObject([
    { addresses: [{ family: 6, address: "2001:db8::15", prefix: 64 }], gateways: [] },
  ]);
});

test("a kernel without prefix-len has the mask", () => {
  const { "prefix-len": _, ...old } = fixed;
  expect(read("ip=ibft", old).settings.interfaces[0]?.addresses[0]?.prefix).toBe(24);
  expect(read("ip=ibft", { ...old, "subnet-mask": "" }).settings.interfaces[0]?.addresses[0]?.prefix).toBe(8);
});

test("a VLAN", () => {
  const { settings } = read("ip=ibft", { ...fixed, vlan: "5\n" });
  expect(settings.vlans).toEqual([{ name: "ibft.5", id: 5, over: card }]);
  expect(settings.interfaces).toMatchObject([{ link: { by: "name", name: "ibft.5" } }]);
});

test("of several, those that were booted from", () => {
  const other = { ...fixed, mac: "52:54:00:00:00:01\n", flags: "1\n" };
  expect(read("ip=ibft", other, fixed).settings.interfaces).toMatchObject([{ link: card }]);
  expect(read("ip=ibft", other, { ...fixed, flags: "1\n" }).settings.interfaces).toHaveLength(2);
});

test("other words stay", () => {
  const { settings } = read("ip=eth1:dhcp ip=ibft ip=eth2:off bootdev=eth1", fixed);
  expect(settings.interfaces).toMatchObject([
    { link: { name: "eth1" }, methods: ["dhcp"] },
    { link: { name: "eth2" }, methods: [] },
    { link: card },
  ]);
  expect(settings.bootLink).toEqual({ by: "name", name: "eth1" });
});

test("without a table DHCP is asked", () => {
  for (const nics of [
    [],
    [{ ...fixed, flags: "0\n" }],
    [{ ...fixed, mac: "" }],
    [{ ...fixed, "ip-addr": "0.0.0.0\n" }],
  ]) {
    const { settings, problem } = read("ip=ibft ip=eth1:auto6", ...nics);
    expect(settings.interfaces).toMatchObject([{ methods: ["dhcp"] }, { methods: ["auto6"] }]);
    expect(problem).toContain("DHCP is asked instead");
  }
});

test("nothing happens where nobody asks", () => {
  const { settings, problem } = read("ip=dhcp", fixed);
  expect(settings.interfaces).toMatchObject([{ link: undefined, methods: ["dhcp"] }]);
  expect(problem).toBeUndefined();
});
