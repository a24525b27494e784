/** ip= in the forms of the kernel, of dracut and of systemd's network-generator. */

import { describe, expect, test } from "bun:test";
import { nothing, parseIp } from "../../../src/network/ip-word.ts";
import type { InterfaceWish, StaticAddress } from "../../../src/network/types.ts";

const eth0 = { by: "name", name: "eth0" } as const;

function fixed(address: string, prefix: number, peer?: string): StaticAddress {
  return { family: address.includes(":") ? 6 : 4, address, prefix, peer };
}

describe("ip=", () => {
  const forms: readonly (readonly [string, Partial<InterfaceWish>])[] = [
    ["dhcp", { methods: ["dhcp"] }],
    ["on", { methods: ["dhcp"] }],
    ["any", { methods: ["dhcp"] }],
    ["single-dhcp", { methods: ["dhcp"], isSingle: true }],
    ["dhcp,dhcp6", { methods: ["dhcp", "dhcp6"] }],
    ["either6", { methods: ["either6"] }],
    ["link6", { methods: ["link6"] }],
    ["ibft", { methods: ["ibft"] }],
    ["dhcp,1,web", { methods: ["dhcp"], clientId: Uint8Array.from([1, 0x77, 0x65, 0x62]) }],
    ["dhcp,0xff,a:b", { methods: ["dhcp"], clientId: Uint8Array.from([255, 0x61, 0x3a, 0x62]) }],
    ["eth0:dhcp", { link: eth0, methods: ["dhcp"] }],
    ["eth0:off", { link: eth0 }],
    ["eth0:auto6,dhcp", { link: eth0, methods: ["auto6", "dhcp"] }],
    ["eth0:dhcp:1500", { link: eth0, methods: ["dhcp"], mtu: 1500 }],
    ["eth0:dhcp::52:54:00:AB:cd:ef", { link: eth0, methods: ["dhcp"], mac: "52:54:00:ab:cd:ef" }],
    [
      "eth0:dhcp:1500:52-54-00-ab-cd-ef",
      { link: eth0, methods: ["dhcp"], mtu: 1500, mac: "52:54:00:ab:cd:ef" },
    ],
    ["52:54:00:AB:cd:ef:dhcp", { link: { by: "mac", mac: "52:54:00:ab:cd:ef" }, methods: ["dhcp"] }],
    ["eth0:dhcp:::", { link: eth0, methods: ["dhcp"] }],
    ["52-54-00-ab-cd-ef:dhcp", { link: { by: "mac", mac: "52:54:00:ab:cd:ef" }, methods: ["dhcp"] }],
    [":::::eth0:dhcp", { link: eth0, methods: ["dhcp"] }],
    [":::::eth0:", { link: eth0, methods: ["dhcp"] }],
    [":::::eth0", { link: eth0, methods: ["dhcp"] }],
    ["::::web.example.org::dhcp", { methods: ["dhcp"], hostName: "web", domain: "example.org" }],
    [":10.0.2.2::::eth0:on", { link: eth0, methods: ["dhcp"], server: "10.0.2.2" }],
    [":::::52-54-00-ab-cd-ef:dhcp", { link: { by: "mac", mac: "52:54:00:ab:cd:ef" }, methods: ["dhcp"] }],
    ["10.0.2.15", { addresses: [fixed("10.0.2.15", 8)] }],
    ["192.168.1.5", { addresses: [fixed("192.168.1.5", 24)] }],
    ["172.16.0.9/20", { addresses: [fixed("172.16.0.9", 20)] }],
    [
      "10.0.2.15:10.0.2.2:10.0.2.1:255.255.255.0:web:eth0:off",
      {
        link: eth0,
        addresses: [fixed("10.0.2.15", 24)],
        server: "10.0.2.2",
        gateways: ["10.0.2.1"],
        hostName: "web",
      },
    ],
    ["10.0.2.15:::22::eth0:none", { link: eth0, addresses: [fixed("10.0.2.15", 22)] }],
    ["10.0.2.15:::::eth0:on", { link: eth0, addresses: [fixed("10.0.2.15", 8)] }],
    ["10.0.2.15:::::eth0", { link: eth0, addresses: [fixed("10.0.2.15", 8)] }],
    ["10.0.2.15/24:::::eth0:dhcp6", { link: eth0, methods: ["dhcp6"], addresses: [fixed("10.0.2.15", 24)] }],
    [
      "10.0.2.15:10.0.2.2::255.255.255.255::eth0:off",
      { link: eth0, addresses: [fixed("10.0.2.15", 32, "10.0.2.2")], server: "10.0.2.2" },
    ],
    [
      "10.0.2.15:10.9.0.0/16::32::eth0:off",
      { link: eth0, addresses: [fixed("10.0.2.15", 16, "10.9.0.0")], server: "10.9.0.0" },
    ],
    ["0.0.0.0::::web:eth0:dhcp", { link: eth0, methods: ["dhcp"], hostName: "web" }],
    [
      "10.0.2.15::10.0.2.2:24::eth0:off:1400",
      { link: eth0, addresses: [fixed("10.0.2.15", 24)], gateways: ["10.0.2.2"], mtu: 1400 },
    ],
    [
      "10.0.2.15:::24::eth0:off:1400:52:54:00:00:00:01",
      { link: eth0, addresses: [fixed("10.0.2.15", 24)], mtu: 1400, mac: "52:54:00:00:00:01" },
    ],
    [
      "10.0.2.15:::24::eth0:off::52:54:00:00:00:01",
      { link: eth0, addresses: [fixed("10.0.2.15", 24)], mac: "52:54:00:00:00:01" },
    ],
    [
      "10.0.2.15:::24::eth0:off:1.1.1.1::9.9.9.9",
      { link: eth0, addresses: [fixed("10.0.2.15", 24)], nameservers: ["1.1.1.1"], ntpServers: ["9.9.9.9"] },
    ],
    [
      "10.0.2.15:::24::eth0:off::8.8.8.8",
      { link: eth0, addresses: [fixed("10.0.2.15", 24)], nameservers: ["8.8.8.8"] },
    ],
    [
      "[2001:db8::10]:[2001:db8::3]:[2001:db8::1]:64:web:eth0:off:[2001:db8::53]",
      {
        link: eth0,
        addresses: [fixed("2001:db8::10", 64)],
        server: "2001:db8::3",
        gateways: ["2001:db8::1"],
        hostName: "web",
        nameservers: ["2001:db8::53"],
      },
    ],
    ["[2001:DB8::10/56]:::::eth0:off", { link: eth0, addresses: [fixed("2001:db8::10", 56)] }],
    ["[2001:db8::10]/56:::::eth0:off", { link: eth0, addresses: [fixed("2001:db8::10", 56)] }],
    ["[2001:db8::10]", { addresses: [fixed("2001:db8::10", 64)] }],
    [
      "[fd00::1]:[fd00::2/128]::::eth0:off",
      { link: eth0, addresses: [fixed("fd00::1", 128, "fd00::2")], server: "fd00::2" },
    ],
  ];
  test.each(forms)("%s", (value, expected) => {
    expect(parseIp(value)).toEqual({ wish: { ...nothing, ...expected }, problems: [] });
  });

  test.each(["", "off", "none", "::::::off", "::::a b::off"])("%p configures nothing", (value) => {
    expect(parseIp(value)).toEqual({ wish: undefined, problems: [] });
  });

  const bad: readonly (readonly [string, string])[] = [
    ["bootp", 'there is no method "bootp".'],
    ["dhcp,", 'there is no method "".'],
    ["dhcp,300,x", 'there is no method "300".'],
    ["eth0", 'there is no method "eth0".'],
    ["eth0:rarp", 'there is no method "rarp".'],
    ["eth0:", 'there is no method "".'],
    ["eth0:dhcp,rarp:1500", 'there is no method "rarp".'],
    ["10.0.2:::::eth0:off", '"10.0.2" is no IP address.'],
    ["10.0.2.15:::255.0.255.0::eth0:off", "the ones of a netmask have to stand in one row"],
    ["10.0.2.15:::33::eth0:off", "a prefix of IPv4 has at most 32 bits"],
    ["10.0.2.15:::24::eth/0:off", '"eth/0" can\'t be the name of an interface'],
    ["10.0.2.15:::24::an-interface-of-twenty:off", "can't be the name of an interface"],
    ["10.0.2.15:::24::eth0:rarp", 'there is no method "rarp".'],
    ["10.0.2.15:dhcp:::::rarp", 'there is no method "rarp".'],
    ["[2001:db8::1:::64::eth0:off", "an IPv6 address has to stand in [ and ]"],
    ["[fe80::1%eth0]:::64::eth0:off", "is no IP address"],
  ];
  test.each(bad)("%s is refused", (value, problem) => {
    const word = parseIp(value);
    expect(word.wish).toBeUndefined();
    expect(word.problems.join()).toContain(problem);
  });

  const partly: readonly (readonly [string, string, Partial<InterfaceWish>])[] = [
    [
      "10.0.2.15::gw:24::eth0:off",
      'its gateway "gw" is no IP address',
      { addresses: [fixed("10.0.2.15", 24)] },
    ],
    ["eth0:dhcp:60", 'its MTU "60" is no number from 68', { methods: ["dhcp"] }],
    ["eth0:dhcp:1500:zz", '"zz" is no MAC address', { methods: ["dhcp"], mtu: 1500 }],
    ["eth0:dhcp:1500::x:y", 'left out: "x:y"', { methods: ["dhcp"], mtu: 1500 }],
    ["::::a b:eth0:dhcp", "can't be a host name", { methods: ["dhcp"] }],
    ["10.0.2.15/8:::::eth0:dhcp", "DHCP is not asked for another", { addresses: [fixed("10.0.2.15", 8)] }],
  ];
  test("an address is no interface", () => {
    const { wish, problems } = parseIp("10.0.2.15:dhcp");
    expect(wish).toMatchObject({ link: undefined, methods: [], addresses: [fixed("10.0.2.15", 8)] });
    expect(problems.join()).toContain('its server "dhcp" is no IP address');
  });
  test.each(partly)("%s counts without what makes no sense", (value, problem, expected) => {
    const { wish, problems } = parseIp(value);
    expect(wish).toEqual({ ...nothing, link: eth0, ...expected });
    expect(problems.join()).toContain(problem);
  });
});
