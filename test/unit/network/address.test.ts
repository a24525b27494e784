/** Addresses as texts: RFC 4291 for what is read, RFC 5952 for what is written. */

import { describe, expect, test } from "bun:test";
import {
  classPrefix,
  formatAddress,
  maskPrefix,
  networkOf,
  normalAddress,
  parseAddress,
  parsePrefix,
} from "../../../src/network/address.ts";
import { isLinkName, macInName, normalMac, parseBootif } from "../../../src/network/link-names.ts";

test.each([
  ["10.0.2.15", "10.0.2.15"],
  ["2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:0db8::0001", "2001:db8::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
  ["::ffff:c000:0201", "::ffff:192.0.2.1"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
])("%s is written %s", (source, written) => {
  expect(normalAddress(source)).toBe(written);
});

test.each([
  "",
  "10.0.2",
  "10.0.2.256",
  "10.0.2.015",
  "10.0.2.15.1",
  " 10.0.2.15",
  "10.0.2.0x1",
  ":",
  ":::",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1::2::3",
  "1:2:3:4:5:6:7:8::",
  "12345::",
  "g::",
  "fe80::1%eth0",
  "[::1]",
  "::1/64",
  "1.2.3.4::",
  "::1.2.3.4:5",
  "1:",
  ":1",
])("%p is no address", (source) => {
  expect(parseAddress(source)).toBeUndefined();
});

test("only 4 or 16 bytes are an address", () => {
  expect(() => formatAddress(new Uint8Array(5))).toThrow(RangeError);
});

describe("prefixes", () => {
  test.each([
    ["24", 4, 24],
    ["0", 4, 0],
    ["255.255.255.0", 4, 24],
    ["255.255.255.255", 4, 32],
    ["0.0.0.0", 4, 0],
    ["64", 6, 64],
  ] as const)("%s of IPv%d", (source, family, prefix) => {
    expect(parsePrefix(source, family)).toBe(prefix);
  });
  test.each([
    ["33", 4, "at most 32"],
    ["129", 6, "at most 128"],
    ["255.0.255.0", 4, "in one row"],
    ["255.255.255.0", 6, "no prefix such as 64"],
    ["ffff::", 6, "no prefix such as 64"],
    ["x", 4, "no netmask such as 255.255.255.0"],
    ["", 4, "no netmask"],
  ] as const)("%s of IPv%d is refused", (source, family, why) => {
    expect(parsePrefix(source, family)).toContain(why);
  });
  test("the network of an address has no bit behind the prefix", () => {
    expect(networkOf("10.1.2.3", 16)).toBe("10.1.0.0");
    expect(networkOf("10.1.2.3", 32)).toBe("10.1.2.3");
    expect(networkOf("10.1.2.3", 0)).toBe("0.0.0.0");
    expect(networkOf("2001:db8:ffff::1", 33)).toBe("2001:db8:8000::");
  });
  test("classes", () => {
    expect(["10.0.0.1", "172.16.0.1", "192.168.0.1"].map(classPrefix)).toEqual([8, 16, 24]);
    expect(maskPrefix(Uint8Array.from([255, 0, 1, 0]))).toBeUndefined();
  });
});

test("MAC addresses", () => {
  expect(normalMac("52-54-00-AB-CD-EF")).toBe("52:54:00:ab:cd:ef");
  expect(normalMac("52:54:00:ab:cd")).toBeUndefined();
  expect(normalMac(Array(20).fill("0a").join(":"))).toHaveLength(59);
  expect(parseBootif("01-52-54-00-AB-CD-EF")).toBe("52:54:00:ab:cd:ef");
  expect(parseBootif("52-54-00-ab-cd-ef")).toBe("52:54:00:ab:cd:ef");
  expect(parseBootif("eth0")).toBeUndefined();
  expect(macInName("enx525400abcdef")).toBe("52:54:00:ab:cd:ef");
  expect(macInName("enp0s3")).toBeUndefined();
});

test("names of links", () => {
  expect(["eth0", "a".repeat(15), "bond0.5", "é"].every(isLinkName)).toBe(true);
  expect(["", ".", "..", "a/b", "a:b", "a b", "eth%d", "a".repeat(16)].some(isLinkName)).toBe(false);
});
