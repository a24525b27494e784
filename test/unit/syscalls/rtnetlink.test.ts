import { expect, test } from "bun:test";
import { linuxSyscalls } from "../../../syscalls/native.ts";
import { Rtnetlink, parseMessages } from "../../../syscalls/rtnetlink.ts";

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

test("the kernel of this machine tells of its links and addresses", () => {
  const kernel = new Rtnetlink(linuxSyscalls());
  const links = kernel.links();
  expect(links.map(({ name }) => name)).toContain("lo");
  const known = new Set(links.map(({ index }) => index));
  for (const { link } of kernel.addresses()) expect(known.has(link)).toBe(true);
  expect(() => kernel.setDown(2 ** 30)).toThrow(/ENODEV|EPERM/);
  kernel.close();
});
