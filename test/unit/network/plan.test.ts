/** Which links are renamed, made, configured and waited for. */

import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../src/boot/cmdline/cmdline.ts";
import type { PresentLink } from "../../../src/network/find-link.ts";
import { type NetworkPlan, networkModules, planNetwork } from "../../../src/network/plan.ts";
import { readNetworkSettings } from "../../../src/network/settings.ts";

function card(name: string, at: number, more: Partial<PresentLink> = {}): PresentLink {
  const mac = `52:54:00:00:00:0${at}`;
  return {
    name,
    mac,
    permanentMac: mac,
    isEthernet: true,
    isVirtual: false,
    hasCarrier: true,
    otherNames: [],
    ...more,
  };
}

const lo: PresentLink = { ...card("lo", 0), mac: "", permanentMac: "", isEthernet: false, isVirtual: true };
const two = [lo, card("eth0", 1), card("eth1", 2)];

function plan(line: string, links: readonly PresentLink[] = two): NetworkPlan {
  return planNetwork(readNetworkSettings(parseCommandLine(line)).settings, links);
}

/** Such as "eth0 dhcp", with ! for what is required. */
function shown({ configures }: NetworkPlan): string[] {
  return configures.map(({ name, wish, isRequired }) =>
    [
      `${name}${isRequired ? "!" : ""}`,
      ...wish.addresses.map(({ address }) => address),
      ...wish.methods,
    ].join(" "),
  );
}

describe("what is configured", () => {
  const lines: readonly (readonly [string, readonly string[]])[] = [
    ["rd.neednet=1", ["eth0 dhcp", "eth1 dhcp"]],
    ["ip=dhcp", ["eth0 dhcp", "eth1 dhcp"]],
    ["ip=eth1:dhcp", ["eth1! dhcp"]],
    ["ip=eth1:dhcp ip=10.0.0.1:::24::eth0:off", ["eth1! dhcp", "eth0! 10.0.0.1"]],
    ["ip=eth0:dhcp ip=52-54-00-00-00-01:auto6", ["eth0! dhcp auto6"]],
    ["ip=eth0:dhcp ip=auto6", ["eth0! dhcp", "eth1 auto6"]],
    ["ip=eth1:off ip=dhcp", ["eth0 dhcp"]],
    ["ip=eth1:off rd.neednet=1", ["eth0 dhcp"]],
    ["ip=10.0.0.1:::24:::off", ["eth0! 10.0.0.1"]],
    ["ip=10.0.0.1:::24:::off bootdev=eth1", ["eth1! 10.0.0.1"]],
    ["ip=dhcp bootdev=eth1", ["eth1 dhcp"]],
    ["ip=dhcp BOOTIF=01-52-54-00-00-00-02", ["eth1 dhcp"]],
    ["ip=dhcp BOOTIF=01-52-54-00-00-00-02 rd.bootif=0", ["eth0 dhcp", "eth1 dhcp"]],
    ["ip=enx525400000002:dhcp", ["eth1! dhcp"]],
    ["ifname=lan:52:54:00:00:00:02 ip=lan:dhcp", ["lan! dhcp"]],
    ["vlan=eth0.5:eth0 ip=dhcp", ["eth0.5 dhcp"]],
    ["vlan=eth0.5:eth0 ip=eth0.5:dhcp ip=10.0.0.1:::24::eth0:off", ["eth0.5! dhcp", "eth0! 10.0.0.1"]],
    ["vlan=eth9.5:eth9 ip=dhcp", []],
    ["bond=bond0:eth0,eth1 vlan=bond0.7:bond0 bridge=br0:bond0.7 ip=dhcp", ["br0 dhcp"]],
    ["ip=off", []],
    ["ip=off bond=bond0:eth0", []],
  ];
  test.each(lines)("%s", (line, expected) => {
    expect(shown(plan(line))).toEqual([...expected]);
  });

  test("a fixed address without an interface goes where a carrier is", () => {
    const links = [card("eth0", 1, { hasCarrier: false }), card("eth1", 2)];
    expect(shown(plan("ip=10.0.0.1:::24:::off", links))).toEqual(["eth1! 10.0.0.1"]);
  });

  test("the names that udev would give are known", () => {
    const links = [card("eth0", 1), card("eth1", 2, { otherNames: ["ens3", "enp0s3"] })];
    expect(shown(plan("ip=enp0s3:dhcp", links))).toEqual(["eth1! dhcp"]);
  });

  test("a card is meant before the bond that has its address", () => {
    const links = [
      card("bond0", 1, { isVirtual: true, permanentMac: "" }),
      card("eth0", 1, { permanentMac: "" }),
      card("eth1", 2, { mac: "52:54:00:00:00:01" }),
    ];
    expect(shown(plan("ip=52-54-00-00-00-02:dhcp ip=52-54-00-00-00-01:auto6", links))).toEqual([
      "eth1! dhcp",
      "eth0! auto6",
    ]);
  });
});

describe("what is missing", () => {
  test("a card, when any will do", () => {
    expect(plan("ip=dhcp", [lo])).toMatchObject({ lacksCard: true, missing: [], configures: [] });
    expect(plan("ip=dhcp")).toMatchObject({ lacksCard: false, missing: [] });
  });

  test("what is named", () => {
    expect(plan("ip=eth2:dhcp ip=eth2:auto6 bond=b:eth0,52:54:00:00:00:09 bridge=br0:b").missing).toEqual([
      { by: "name", name: "eth2" },
      { by: "mac", mac: "52:54:00:00:00:09" },
    ]);
    expect(plan("ip=dhcp bootdev=eth2")).toMatchObject({
      missing: [{ by: "name", name: "eth2" }],
      configures: [],
      bootLink: undefined,
    });
  });

  test("what another is to be made of, but not what will be made itself", () => {
    const made = plan("vlan=b.5:b bond=b:eth2 ip=b.5:dhcp");
    expect(made.makes).toEqual([]);
    expect(made.missing).toEqual([
      { by: "name", name: "b.5" },
      { by: "name", name: "eth2" },
    ]);
  });
});

describe("what is made", () => {
  test("each behind what it needs, with the names that cards get", () => {
    const { makes, problems } = plan(
      "vlan=b.5:b bridge=br0:b.5,x bond=b:lan,eth0:mode=1:9000 ifname=lan:52:54:00:00:00:02",
    );
    expect(problems).toEqual([]);
    expect(makes.map(({ kind, name, isThere }) => [kind, name, isThere])).toEqual([
      ["bond", "b", false],
      ["vlan", "b.5", false],
      ["bridge", "br0", false],
    ]);
    expect(makes[0]).toMatchObject({ ports: ["lan", "eth0"], mtu: 9000 });
    expect(makes[1]).toMatchObject({ id: 5, over: "b" });
    expect(makes[2]).toMatchObject({ ports: ["b.5"] });
  });

  test("what is there already is known", () => {
    const links = [...two, card("bond0", 1, { isVirtual: true, permanentMac: "" })];
    const { makes, configures } = plan("bond ip=dhcp", links);
    expect(makes).toMatchObject([{ name: "bond0", isThere: true, ports: ["eth0", "eth1"] }]);
    expect(configures.map(({ name }) => name)).toEqual(["bond0"]);
  });

  const wrong: readonly (readonly [string, string])[] = [
    ["bond=a:eth0 bridge=a:eth1", "a can't be a bridge: it is a bond already."],
    ["bond=a:eth0 bridge=b:eth0", "eth0 is not taken into b: it is a port of a already."],
    ["bond=a:b bridge=b:a", "a is not made: it would be a part of itself."],
    ["ifname=eth1:52:54:00:00:00:01", "eth0 is not renamed to eth1: another interface has that name."],
  ];
  test.each(wrong)("%s", (line, problem) => {
    expect(plan(line).problems).toContain(problem);
  });
});

test("names can be swapped", () => {
  expect(plan("ifname=eth1:52:54:00:00:00:01 ifname=eth0:52:54:00:00:00:02").renames).toEqual([
    { from: "eth0", to: "rename0" },
    { from: "eth1", to: "rename1" },
    { from: "rename0", to: "eth1" },
    { from: "rename1", to: "eth0" },
  ]);
});

function modules(line: string): string[] {
  return networkModules(readNetworkSettings(parseCommandLine(line)).settings);
}

test("modules", () => {
  expect(modules("ip=dhcp")).toEqual([]);
  expect(modules("bond bridge vlan=eth0.5:eth0 ip=eth0.5:auto6")).toEqual([
    "bonding",
    "bridge",
    "8021q",
    "ipv6",
  ]);
  expect(modules("ip=[2001:db8::1]:::64::eth0:off")).toEqual(["ipv6"]);
});
