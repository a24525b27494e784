import { expect, test } from "bun:test";
import fc from "fast-check";
import { packNames } from "../../../src/network/dhcp6/names.ts";
import { parseAddress } from "../../../src/network/address.ts";
import { type Advertised, takeAdvertised, valid } from "../../../src/network/router-names.ts";

/** An option of RFC 8106, padded to units of eight bytes. */
function option(type: number, lifetime_s: number, content: readonly number[]): number[] {
  const length = Math.ceil((8 + content.length) / 8);
  const bytes = new Uint8Array(8 * length);
  bytes.set([type, length]);
  new DataView(bytes.buffer).setUint32(4, lifetime_s, false);
  bytes.set(content, 8);
  return [...bytes];
}

const servers = (lifetime_s: number, ...addresses: readonly string[]): number[] =>
  option(
    25,
    lifetime_s,
    addresses.flatMap((address) => [...(parseAddress(address) ?? [])]),
  );
const domains = (lifetime_s: number, ...names: readonly string[]): number[] =>
  option(31, lifetime_s, [...packNames(names)]);

function after(now_ms: number, options: readonly number[], known: readonly Advertised[] = []): Advertised[] {
  return takeAdvertised(known, Uint8Array.from(options), { now_ms, link: "eth0" });
}

const values = (known: readonly Advertised[]): string[] => known.map(({ value }) => value);

test("servers and domains, among options that mean something else", () => {
  const other = [37, 1, 0, 0, 0, 0, 0, 0];
  const options = [...other, ...servers(600, "fd77::1", "fe80::1"), ...domains(600, "test", "a.example")];
  expect(after(0, options)).toEqual([
    { kind: "nameserver", value: "fd77::1", until_ms: 600_000 },
    // It leads somewhere on this link alone.
    { kind: "nameserver", value: "fe80::1%eth0", until_ms: 600_000 },
    { kind: "domain", value: "test", until_ms: 600_000 },
    { kind: "domain", value: "a.example", until_ms: 600_000 },
  ]);
});

test("each counts for its lifetime, anew when it is named again, and no more when that is 0", () => {
  const first = after(0, servers(10, "fd77::1", "fd77::2"));
  expect(values(valid(first, 9999))).toEqual(["fd77::1", "fd77::2"]);
  expect(values(valid(first, 10_000))).toEqual([]);
  const again = after(5000, servers(10, "fd77::2"), first);
  expect(values(again)).toEqual(["fd77::1", "fd77::2"]);
  expect(values(valid(again, 12_000))).toEqual(["fd77::2"]);
  expect(values(after(6000, servers(0, "fd77::2"), again))).toEqual(["fd77::1"]);
  const always = after(0, servers(0xffff_ffff, "fd77::3"));
  expect(values(valid(always, Number.MAX_SAFE_INTEGER))).toEqual(["fd77::3"]);
});

test("what is cut short or makes no sense is passed over, and what would fit in no file", () => {
  expect(after(0, [])).toEqual([]);
  expect(after(0, [25, 0, 0, 0, 0, 0, 0, 0])).toEqual([]);
  expect(after(0, servers(600, "fd77::1").slice(0, 20))).toEqual([]);
  expect(after(0, servers(600, "::"))).toEqual([]);
  expect(after(0, option(31, 600, [4, 97, 10, 98, 99, 0]))).toEqual([]);
  expect(after(0, option(31, 600, [60, 97]))).toEqual([]);
});

test("any bytes do no harm, and no more are kept than a machine can use", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const known = after(0, [...bytes, ...servers(1, "fd77::1")]);
      expect(known.length).toBeLessThanOrEqual(16);
      for (const { value } of known) expect(value).toMatch(/^[\w.:%-]+$/);
    }),
  );
  const many = Array.from({ length: 40 }, (_, at) => `fd77::${at + 1}`);
  expect(after(0, servers(600, ...many))).toHaveLength(16);
});
