/** The parameters of the network besides ip=. */

import { describe, expect, test } from "bun:test";
import { parseCommandLine } from "../../../src/boot/cmdline/cmdline.ts";
import { readNetworkSettings } from "../../../src/network/settings.ts";
import type { NetworkSettings } from "../../../src/network/types.ts";

function read(line: string): ReturnType<typeof readNetworkSettings> {
  return readNetworkSettings(parseCommandLine(line));
}

const defaults = read("").settings;
const byName = (name: string): { readonly by: "name"; readonly name: string } => ({ by: "name", name });

test("nothing is asked for without a word", () => {
  expect(defaults).toMatchObject({ isAskedFor: false, isOff: false, interfaces: [], bootLink: undefined });
});

describe("what asks for the network", () => {
  test.each([
    ["ip=dhcp", true, false],
    ["ip=off", false, true],
    ["ip=", false, true],
    ["ip=off ip=eth0:dhcp", true, false],
    ["ip=eth0:off", false, false],
    ["rd.neednet", true, false],
    ["rd.neednet=1", true, false],
    ["ip=dhcp rd.neednet=0", false, false],
    ["BOOTIF=01-52-54-00-00-00-01", false, false],
    ["bootdev=eth0", false, false],
    ["nameserver=1.1.1.1 vlan=eth0.5:eth0", false, false],
    ["ip=nonsense", true, false],
  ])("%s", (line, isAskedFor, isOff) => {
    expect(read(line).settings).toMatchObject({ isAskedFor, isOff });
  });
});

describe("words", () => {
  const words: readonly (readonly [string, Partial<NetworkSettings>])[] = [
    ["bootdev=eth1 BOOTIF=01-52-54-00-00-00-01", { bootLink: byName("eth1") }],
    ["BOOTIF=01-52-54-00-00-00-01", { bootLink: { by: "mac", mac: "52:54:00:00:00:01" } }],
    ["BOOTIF=01-52-54-00-00-00-01 rd.bootif=0", { bootLink: undefined }],
    ["ifname=lan:52:54:00:AA:00:01", { names: [{ name: "lan", mac: "52:54:00:aa:00:01" }] }],
    [
      "ifname=lan:52:54:00:aa:00:01 ifname=wan:52-54-00-aa-00-01",
      { names: [{ name: "wan", mac: "52:54:00:aa:00:01" }] },
    ],
    ["vlan=vlan5:eth0", { vlans: [{ name: "vlan5", id: 5, over: byName("eth0") }] }],
    ["vlan=vlan0005:eth0", { vlans: [{ name: "vlan0005", id: 5, over: byName("eth0") }] }],
    ["vlan=eth0.0005:eth0", { vlans: [{ name: "eth0.0005", id: 5, over: byName("eth0") }] }],
    ["vlan=eth0.1:eth0", { vlans: [{ name: "eth0.1", id: 1, over: byName("eth0") }] }],
    ["vlan=eth0.4094:eth0", { vlans: [{ name: "eth0.4094", id: 4094, over: byName("eth0") }] }],
    ["bridge", { bridges: [{ name: "br0", ports: [byName("eth0")] }] }],
    ["bridge=br1:eth0,eth1,eth0", { bridges: [{ name: "br1", ports: [byName("eth0"), byName("eth1")] }] }],
    ["bridge=br1:eth0 bridge=br1:eth1", { bridges: [{ name: "br1", ports: [byName("eth1")] }] }],
    [
      "nameserver=1.1.1.1 nameserver=[2001:DB8::1] nameserver=1.1.1.1",
      { nameservers: ["1.1.1.1", "2001:db8::1"] },
    ],
    ["nameserver=2001:db8::1", { nameservers: ["2001:db8::1"] }],
    ["rd.peerdns=0", { peerDns: false }],
    [
      "rd.route=10.1.2.3/16:10.0.2.3",
      { routes: [{ family: 4, destination: "10.1.0.0", prefix: 16, gateway: "10.0.2.3", link: undefined }] },
    ],
    [
      "rd.route=192.168.200.0/255.255.255.0::ens10",
      {
        routes: [
          { family: 4, destination: "192.168.200.0", prefix: 24, gateway: undefined, link: byName("ens10") },
        ],
      },
    ],
    [
      "rd.route=[2001:DB8:3::/48]:[2001:DB8:2::1]:ens10",
      {
        routes: [
          {
            family: 6,
            destination: "2001:db8:3::",
            prefix: 48,
            gateway: "2001:db8:2::1",
            link: byName("ens10"),
          },
        ],
      },
    ],
    ["rd.net.timeout.dhcp=7.5", { timeouts: { ...defaults.timeouts, dhcp_ms: 7500 } }],
    [
      "rd.net.timeout.iflink=1e9 rd.net.timeout.carrier=999999999",
      { timeouts: { ...defaults.timeouts, carrier_ms: 86_400_000 } },
    ],
    ["rd.net.dhcp.retry=3 rd.net.dhcp.vendor-class=rdinit", { dhcp: { tries: 3, vendorClass: "rdinit" } }],
    ["dhcpclass=x", { dhcp: { tries: 1, vendorClass: "x" } }],
  ];
  test.each(words)("%s", (line, expected) => {
    expect(read(line).settings).toMatchObject(expected);
  });

  test("all times have names", () => {
    const names = ["iflink", "ifup", "carrier", "dhcp", "ipv6dad", "ipv6auto", "route"];
    const { settings, complaints } = read(names.map((name) => `rd.net.timeout.${name}=1`).join(" "));
    expect(Object.values(settings.timeouts)).toEqual(names.map(() => 1000));
    expect(complaints).toEqual([]);
  });

  test("two ip= of one interface are one wish, and of what can be but one the last counts", () => {
    const { settings } = read(
      "ip=10.0.0.1::10.0.0.9:24:a:eth0:off:1400 ip=[fd00::1]::[fd00::9]:64:b:eth0:off ip=eth0:auto6",
    );
    expect(settings.interfaces).toMatchObject([
      {
        addresses: [{ address: "10.0.0.1" }, { address: "fd00::1" }],
        gateways: ["10.0.0.9", "fd00::9"],
        hostName: "b",
        mtu: 1400,
        methods: ["auto6"],
      },
    ]);
  });

  const bad: readonly (readonly [string, string])[] = [
    ["ip", "ip is ignored: it needs a value."],
    ["ip=nonsense", 'ip=nonsense is ignored: there is no method "nonsense".'],
    ["ip=eth0:dhcp:9", 'ip=eth0:dhcp:9: its MTU "9" is no number from 68 to 65535'],
    ["rd.neednet=maybe", "rd.neednet=maybe is ignored: it is neither 0 nor 1."],
    ["bootdev=a/b", "bootdev=a/b is ignored"],
    ["BOOTIF=eth0", "BOOTIF=eth0 is ignored: it is no MAC address."],
    ["ifname=lan", "it has to be a name and a MAC address with : between them"],
    [
      "ip=eth0:dchp",
      'there is no method "dchp". Did you mean dhcp? DHCP is asked, unless another ip= says what to do.',
    ],
    ["ifname=:52:54:00:00:00:01", '"" can\'t be the name of an interface'],
    ["ifname=lan:52:54", "it has to hold a MAC address behind the name"],
    ["vlan=eth0.0:eth0", '"eth0.0" does not end in the number of a VLAN, 1 to 4094.'],
    ["vlan=eth0.4095:eth0", "does not end in the number of a VLAN"],
    ["vlan=lan:eth0", "does not end in the number of a VLAN"],
    ["vlan=vlan5", '"" can\'t be the name of an interface'],
    ["vlan=vlan5:vlan5", "a VLAN can't run over itself"],
    ["bond=bond0:bond0", '"bond0" can\'t be a port of itself'],
    ["bond=bond0:eth0:colour=red", 'bonds have no option "colour"'],
    ["bond=bond0:eth0:mod=1", "Did you mean mode?"],
    ["bond=bond0:eth0:mode=9", 'its option mode="9" makes no sense'],
    ["bond=bond0:eth0::9000:x", "it has more than four fields"],
    ["bridge=br0:", "it names no interface"],
    ["bridge=br0", "it names no interface"],
    ["team=team0:eth0", "a team needs a daemon that is not here; use bond= instead."],
    ["rd.route=10.0.0.0/8", "it has to have two or three fields"],
    ["rd.route=10.0.0.0/8:", "it names neither a gateway nor an interface"],
    ["rd.route=10.0.0.0/8:fd00::1", "it has to have two or three fields"],
    ["rd.route=10.0.0.0/8:[fd00::1]", "of different families"],
    ["rd.route=x:10.0.0.1", '"x" is no network'],
    ["nameserver=x", "nameserver=x is ignored: it is no IP address."],
    ["rd.net.timeout.dhcp=soon", "it is not a number of seconds"],
    ["rd.net.dhcp.retry=0", "it is no number from 1 on"],
    ["rd.net.dhcp.vendor-class=", "it has to be a text of 1 to 255 bytes"],
  ];
  test.each(bad)("%s is told", (line, complaint) => {
    expect(read(line).complaints.join("\n")).toContain(complaint);
  });
});

function options(list: string): (readonly [string, unknown])[] {
  return read(`bond=b:eth0:${list}`).settings.bonds.flatMap((bond) =>
    bond.options.map(({ name, value }) => [name, value] as const),
  );
}

describe("bond=", () => {
  test("bare, it is bond0 of eth0 and eth1", () => {
    expect(read("bond").settings.bonds).toMatchObject([
      { name: "bond0", ports: [byName("eth0"), byName("eth1")] },
    ]);
    expect(read("bond=b").settings.bonds).toMatchObject([
      { name: "b", ports: [byName("eth0"), byName("eth1")] },
    ]);
  });

  test("options come in the kernel's order, by name or by number", () => {
    expect(options("primary=eth0,updelay=200,miimon=50,mode=active-backup")).toEqual([
      ["mode", 1],
      ["miimon", 50],
      ["updelay", 200],
      ["primary", "eth0"],
    ]);
    expect(options("mode=4,lacp_rate=fast,xmit_hash_policy=layer3+4,miimon=1")).toEqual([
      ["mode", 4],
      ["miimon", 1],
      ["xmit_hash_policy", 1],
      ["lacp_rate", 1],
    ]);
  });

  test("some can be set only when the ports are there", () => {
    const [bond] = read("bond=b:eth0:primary=eth0,mode=1").settings.bonds;
    expect(bond?.options.map(({ name, needsPorts }) => [name, needsPorts])).toEqual([
      ["mode", false],
      ["miimon", false],
      ["primary", true],
    ]);
  });

  test("links are watched although nobody said how", () => {
    expect(options("mode=1")).toEqual([
      ["mode", 1],
      ["miimon", 100],
    ]);
    expect(options("mode=1,arp_interval=500,arp_ip_target=10.0.0.1;10.0.0.2")).toEqual([
      ["mode", 1],
      ["arp_interval", 500],
      ["arp_ip_target", ["10.0.0.1", "10.0.0.2"]],
    ]);
    expect(read("bond=b:eth0:arp_interval=500,miimon=100").complaints.join()).toContain("exclude each other");
  });

  test("MAC addresses and IPv6 addresses may stand in it", () => {
    const { settings, complaints } = read(
      "bond=ad0:52:54:00:00:00:01,eth1:ad_actor_system=00:11:22:33:44:55,ns_ip6_target=[fd00::1];[fd00::2]:1400",
    );
    expect(complaints).toEqual([]);
    expect(settings.bonds).toMatchObject([
      {
        name: "ad0",
        ports: [{ by: "mac", mac: "52:54:00:00:00:01" }, byName("eth1")],
        options: [{ name: "miimon" }, { value: ["fd00::1", "fd00::2"] }, { value: "00:11:22:33:44:55" }],
        mtu: 1400,
      },
    ]);
  });
});
