import { expect, test } from "bun:test";
import { fakeKernel } from "../../../syscalls/fake.ts";
import { post } from "../../../syscalls/fake/peripherals.ts";
import { linuxSyscalls } from "../../../syscalls/native.ts";
import {
  NetworkMonitor,
  Rtnetlink,
  changeLink,
  parseAddress,
  parseAttributes,
  parseLink,
  parseMessages,
  parseRoute,
  parseRouterOptions,
  readLinks,
} from "../../../syscalls/rtnetlink/index.ts";
import { settle } from "../../fixtures/virtual-time.ts";

function message(type: number, body: readonly number[], length = 16 + body.length): number[] {
  const bytes = new Uint8Array(16 + ((body.length + 3) & ~3));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, type, true);
  bytes.set(body, 16);
  return [...bytes];
}

test("a datagram holds messages, each aligned to four bytes", () => {
  const datagram = Uint8Array.from([...message(16, [1, 2, 3]), ...message(3, [])]);
  expect(parseMessages(datagram).map(({ type, body }) => [type, ...body])).toEqual([[16, 1, 2, 3], [3]]);
});

test("what is cut short, or says it is shorter than its header, ends the datagram", () => {
  const whole = message(16, [1, 2, 3, 4]);
  for (let length = 0; length < whole.length; length++)
    expect(parseMessages(Uint8Array.from(whole.slice(0, length)))).toEqual([]);
  expect(parseMessages(Uint8Array.from(message(16, [1], 15)))).toEqual([]);
  expect(parseMessages(Uint8Array.from(message(16, [1], 0)))).toEqual([]);
});

test("attributes are aligned to four bytes, and one that is too short ends them", () => {
  const bytes = Uint8Array.of(5, 0, 3, 0x80, 9, 0, 0, 0, 4, 0, 7, 0, 3, 0, 1, 0);
  expect(parseAttributes(bytes).map(({ type, value }) => [type, ...value])).toEqual([[3, 9], [7]]);
});

/** Messages as Linux 6.18 sent them, without what is not read: a veth that is a port of a bridge, up. */
const PORT =
  "00000100020000004310010000000000070003007631000008000d00e80300000500100006000000" +
  "08000400dc05000008000a00040000000a000100e2eaea2f418600001400128009000100766574680000000004000400";
const ADDRESS =
  "0218800003000000080001000a00020f080002000a00020f080004000a0002ff070003007630000008000800800000001400" +
  "0600ffffffffffffffffff402600ff402600";
const TENTATIVE =
  "0a40c0fd0200000014000100fe80000000000000e0eaeafffe2f418614000600ffffffffffffffffff402600ff402600" +
  "08000800c000000005000b0003000000";
const DEFAULT_ROUTE =
  "02000000fe0300010000000008000f00fe0000000800060064000000080005000a0002020800040003000000";
const LOCAL_ROUTE =
  "02200000ff02fe020000000008000f00ff000000080001000a00020f080007000a00020f0800040003000000";

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

test("a link is read", () => {
  expect(parseLink(bytes(PORT))).toEqual({
    index: 2,
    name: "v1",
    type: "ethernet",
    mac: "e2:ea:ea:2f:41:86",
    permanentMac: "",
    mtu: 1500,
    isUp: true,
    hasCarrier: true,
    isOperational: true,
    master: 4,
    kind: "veth",
  });
});

test("what a bridge says of its ports is no link", () => {
  const [, ...rest] = bytes(PORT);
  expect(parseLink(Uint8Array.of(7, ...rest))).toBeUndefined();
});

test("addresses are read", () => {
  expect(parseAddress(bytes(ADDRESS))).toMatchObject({
    link: 3,
    address: Uint8Array.of(10, 0, 2, 15),
    prefix: 24,
    scope: "global",
    isTentative: false,
    isDuplicate: false,
    isPermanent: true,
  });
  expect(parseAddress(bytes(TENTATIVE))).toMatchObject({ link: 2, scope: "link", isTentative: true });
});

test("routes are read, and those of other tables are none", () => {
  expect(parseRoute(bytes(DEFAULT_ROUTE))).toMatchObject({
    family: 4,
    link: 3,
    destination: undefined,
    prefix: 0,
    gateway: Uint8Array.of(10, 0, 2, 2),
    origin: "other",
  });
  expect(parseRoute(bytes(LOCAL_ROUTE))).toBeUndefined();
});

test("a message that is cut anywhere is read as far as it goes, or not at all", () => {
  for (const whole of [PORT, ADDRESS, TENTATIVE, DEFAULT_ROUTE].map(bytes))
    for (let length = 0; length < whole.length; length++)
      for (const parse of [parseLink, parseAddress, parseRoute])
        expect(() => parse(whole.subarray(0, length))).not.toThrow();
});

test("a change that the kernel refuses has the errno, and the conversation goes on", () => {
  const kernel = new Rtnetlink(linuxSyscalls());
  expect(() => changeLink(kernel, 2 ** 30, { isUp: true })).toThrow(/ENODEV|EPERM/);
  expect(readLinks(kernel).map(({ name }) => name)).toContain("lo");
  kernel.close();
  expect(() => readLinks(kernel)).toThrow(/EBADF/);
});

test("who waits for a change is woken by hand too", async () => {
  const monitor = new NetworkMonitor(linuxSyscalls(), { failed: () => undefined });
  const changed = monitor.changed();
  monitor.wake();
  await changed;
});

/** A monitor on a kernel that announces what the test says, and what the monitor said of its end. */
function monitored() {
  const kernel = fakeKernel();
  const failures: string[] = [];
  const monitor = new NetworkMonitor(kernel.sys, { failed: ({ code }) => void failures.push(code) });
  const isWoken = async (act: () => void): Promise<boolean> => {
    let woken = false;
    void monitor.changed().then(() => (woken = true));
    act();
    await settle();
    return woken;
  };
  return { kernel, failures, isWoken };
}

// RTNLGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE and _ND_USEROPT, as bits.
for (const group of [1, 5, 7, 9, 11, 20].map((number) => 2 ** (number - 1)))
  test(`an announcement of group 0x${group.toString(16)} wakes who waits`, async () => {
    const { kernel, isWoken } = monitored();
    expect(await isWoken(() => kernel.deliver("", 0, group))).toBe(true);
    expect(await isWoken(() => kernel.deliver("", 0, group))).toBe(true);
  });

test("announcements that were lost are a change, and it goes on", async () => {
  const { kernel, failures, isWoken } = monitored();
  expect(await isWoken(() => kernel.overrun())).toBe(true);
  expect(await isWoken(() => post(kernel.machine, 1, "EMSGSIZE"))).toBe(true);
  expect(await isWoken(() => kernel.deliver(""))).toBe(true);
  expect(failures).toEqual([]);
});

test("a monitor whose socket fails says so, once, and wakes nobody", async () => {
  const { kernel, failures, isWoken } = monitored();
  expect(await isWoken(() => post(kernel.machine, 1, "EIO"))).toBe(false);
  expect(await isWoken(() => kernel.deliver(""))).toBe(false);
  expect(failures).toEqual(["EIO"]);
});

function told(type: number, body: readonly number[]) {
  return parseRouterOptions(Uint8Array.from(message(type, body)));
}

test("of an advertisement the options that the kernel passes on; of nothing else, and of none that is cut short", () => {
  const option = [25, 1, 0, 0, 0, 0, 0, 0];
  const header = [10, 0, option.length, 0, 3, 0, 0, 0, 134, 0, 0, 0, 0, 0, 0, 0];
  // The router's address is an attribute behind them.
  const address = [20, 0, 1, 0, ...Array.from({ length: 16 }, () => 1)];
  expect(told(68, [...header, ...option, ...address])).toEqual([
    { link: 3, options: Uint8Array.from(option) },
  ]);
  expect(told(20, [...header, ...option])).toEqual([]);
  expect(told(68, [...header, ...option.slice(4)])).toEqual([]);
  expect(told(68, header.slice(8))).toEqual([]);
  expect(told(68, [...header.with(8, 137), ...option])).toEqual([]);
  expect(told(68, [...header.with(0, 2), ...option])).toEqual([]);
});
