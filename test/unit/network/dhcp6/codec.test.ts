/** Messages of DHCPv6, byte for byte. */

import { describe, expect, test } from "bun:test";
import { associationOfMac, duidOfMac } from "../../../../src/network/dhcp6/identity.ts";
import type { Dhcp6Message } from "../../../../src/network/dhcp6/message.ts";
import { parseDhcp6 } from "../../../../src/network/dhcp6/read.ts";
import { packDhcp6 } from "../../../../src/network/dhcp6/write.ts";

function bytes(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex.replaceAll(/\s|\/\/.*$/gm, ""));
}

const duid = duidOfMac("52:54:00:12:34:56");

test("who a machine is", () => {
  expect(duid).toEqual(bytes("0003 0001 525400123456"));
  expect(associationOfMac("52:54:00:12:34:56")).toBe(0x00123456);
  expect(associationOfMac("52:54:ff:12:34:56")).toBe(0xff123456);
});

test("a solicit", () => {
  const solicit: Dhcp6Message = {
    type: "solicit",
    transaction: 0xabcdef,
    clientId: duid,
    associations: [{ id: 0x00123456, renew_s: 0, rebind_s: 0, addresses: [] }],
    requested: [23, 24],
    elapsed_cs: 1234,
    rapidCommit: true,
    hostName: "web.example.org",
  };
  const datagram = bytes(`
    01 abcdef
    0001 000a 0003 0001 525400123456
    0003 000c 00123456 00000000 00000000
    0006 0004 0017 0018
    0008 0002 04d2
    000e 0000
    0027 0012 01 03 776562 07 6578616d706c65 03 6f7267 00
  `);
  expect(packDhcp6(solicit)).toEqual(datagram);
  expect(parseDhcp6(datagram)).toEqual(solicit);
});

test("a reply, with options in it that nobody asked for", () => {
  const datagram = bytes(`
    07 123456
    0002 000e 0001 0001 2b3c4d5e 5254000000ff
    0001 000a 0003 0001 525400123456
    0007 0001 ff
    0003 0044 00123456 00000708 00000b40                  // IA_NA: T1 1800, T2 2880
      0005 0018 fd000000000000000000000000000015 00000e10 ffffffff
      000d 0010 0000 61737369676e656420746f20796f  // success, "assigned to yo"
      0063 0004 deadbeef
    0052 0004 00000e10                                    // SOL_MAX_RT
    0017 0020 fd000000000000000000000000000053 20010db8000000000000000000000053
    0018 0013 07 6578616d706c65 03 6f7267 00 03 6c616e 00 00
    001f 0010 fd000000000000000000000000000123
    0038 0018 0001 0010 fd000000000000000000000000000124 0003 0000
  `);
  expect(parseDhcp6(datagram)).toEqual({
    type: "reply",
    transaction: 0x123456,
    serverId: bytes("0001 0001 2b3c4d5e 5254000000ff"),
    clientId: duid,
    preference: 255,
    associations: [
      {
        id: 0x00123456,
        renew_s: 1800,
        rebind_s: 2880,
        addresses: [{ address: "fd00::15", preferred_s: 3600, valid_s: 0xffffffff }],
        status: { code: 0, message: "assigned to yo" },
      },
    ],
    nameservers: ["fd00::53", "2001:db8::53"],
    search: ["example.org", "lan"],
    ntpServers: ["fd00::123", "fd00::124"],
  });
});

describe("what is no message", () => {
  test.each([
    ["nothing", ""],
    ["a type that there is not", "00 123456"],
    ["a relay's", "0c 123456"],
    ["no whole header", "07 1234"],
    ["an option that is cut short", "07 123456 0017 0020 fd00"],
    ["an option of an unknown kind that is cut short", "07 123456 0063 0004 dead"],
    ["a header of an option that is cut short", "07 123456 0017 00"],
    ["half an address", "07 123456 0017 0008 fd00000000000000"],
    ["an association without its times", "07 123456 0003 0008 00123456 00000000"],
    [
      "an address without its times",
      "07 123456 0003 0020 00123456 00000000 00000000 0005 0010 fd000000000000000000000000000015",
    ],
    ["a name that is cut short", "07 123456 0018 0003 07 6578"],
    ["a name with a pointer in it", "07 123456 0018 0002 c000"],
    ["a status without its code", "07 123456 000d 0001 00"],
  ])("%s", (_, hex) => {
    expect(parseDhcp6(bytes(hex))).toBeUndefined();
  });
});

test("time servers that are no addresses are left out", () => {
  const multicast = "0002 0010 ff020000000000000000000000000101";
  const short = "0001 0004 fd000000";
  const good = "0001 0010 fd000000000000000000000000000124";
  expect(parseDhcp6(bytes(`07 123456 0038 0030 ${multicast} ${short} ${good}`))?.ntpServers).toEqual([
    "fd00::124",
  ]);
});

test("a host name may stand without an end", () => {
  expect(parseDhcp6(bytes("07 123456 0027 0005 01 03 776562"))?.hostName).toBe("web");
});

test("a host name that is none, or cut short, is left out, and the rest counts", () => {
  for (const option of ["0027 0001 00", "0027 0006 00 04 613b6262", "0027 0003 00 07 65"])
    expect(parseDhcp6(bytes(`07 123456 ${option} 0007 0001 ff`))).toEqual({
      type: "reply",
      transaction: 0x123456,
      preference: 255,
    });
});

test("names that are fit for no file are left out", () => {
  expect(parseDhcp6(bytes("07 123456 0018 000b 04 613b6262 00 03 6c616e 00"))?.search).toEqual(["lan"]);
});
