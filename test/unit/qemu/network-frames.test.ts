/** Reading frames: senders, and what clients and servers of DHCP say. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { dhcpMessageOf, senderOf } from "../../../qemu/network/frames.ts";

const bytes = (...parts: readonly (string | readonly number[] | Uint8Array)[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part, "hex") : Buffer.from(part))),
  );

const zeros = (length: number): number[] => Array.from({ length }, () => 0);

const CLIENT = "525400123456";
const SERVER = "525400770001";
const MAC = "52:54:00:12:34:56";

/** An IPv4 packet of UDP between DHCP's ports. */
function dhcp(
  from: readonly number[],
  ciaddr: readonly number[],
  yiaddr: readonly number[],
  options: string,
): Uint8Array {
  const message = bytes(
    [1, 1, 6, 0],
    zeros(8),
    ciaddr,
    yiaddr,
    zeros(8),
    CLIENT,
    zeros(10 + 192),
    "63825363",
    options,
  );
  const udp = bytes("00440043", [(message.length + 8) >> 8, (message.length + 8) & 255, 0, 0]);
  return bytes("4500", zeros(7), [17, 0, 0], from, [255, 255, 255, 255], udp, message);
}

const frame = (type: string, body: Uint8Array): Uint8Array => bytes("ffffffffffff", CLIENT, type, body);

test("messages of DHCP name the address that they are about, and the client as it names itself", () => {
  const none = zeros(4);
  const discover = dhcp(none, none, none, "35010132040a4d002a3d0701525400123456ff");
  expect(dhcpMessageOf(frame("0800", discover))).toEqual({
    type: "discover",
    mac: MAC,
    address: "10.77.0.42",
    clientId: "01525400123456",
  });
  const release = dhcp([10, 77, 0, 42], [10, 77, 0, 42], none, "350107ff");
  expect(dhcpMessageOf(frame("0800", release))).toEqual({
    type: "release",
    mac: MAC,
    address: "10.77.0.42",
    clientId: undefined,
  });
  const ack = dhcp([10, 77, 0, 1], none, [10, 77, 0, 42], "00350105ff");
  expect(dhcpMessageOf(frame("810000050800", ack))).toMatchObject({ type: "ack", address: "10.77.0.42" });
  expect(senderOf(frame("0800", release))).toEqual({ mac: MAC, address: "10.77.0.42" });
});

test("ARP names its sender, other frames nobody", () => {
  const arp = bytes("0001080006040001", SERVER, [10, 77, 0, 1], zeros(6), [10, 77, 0, 42]);
  expect(senderOf(frame("0806", arp))).toEqual({ mac: "52:54:00:77:00:01", address: "10.77.0.1" });
  expect(senderOf(frame("86dd", arp))).toBeUndefined();
  expect(dhcpMessageOf(frame("0806", arp))).toBeUndefined();
});

test("any bytes are read without an error", () => {
  const some = fc.tuple(
    fc.constantFrom("", "0800", "0806", "810000010800"),
    fc.uint8Array({ maxLength: 400 }),
  );
  fc.assert(
    fc.property(some, ([type, body]) => {
      senderOf(frame(type, body));
      dhcpMessageOf(frame(type, body));
    }),
  );
});
