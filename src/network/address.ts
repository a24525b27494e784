/**
 * IP addresses as texts and as bytes: RFC 4291 section 2.2 for what is read, RFC 5952 for what is written.
 *
 * Zones (fe80::1%eth0) are no part of an address here and are refused, as are octets with leading zeros, which some
 * programs read as octal.
 */

import type { Family } from "./types.ts";

/** Four or sixteen bytes in the order of the wire; undefined when it is no address. */
export function parseAddress(source: string): Uint8Array | undefined {
  return source.includes(":") ? parse6(source) : parse4(source);
}

/** The address in its one spelling. @throws RangeError unless there are four or sixteen bytes */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length === 16) return format6(bytes);
  throw new RangeError(`an address has 4 or 16 bytes, not ${bytes.length}`);
}

/** The address in its one spelling; undefined when it is none. */
export function normalAddress(source: string): string | undefined {
  const bytes = parseAddress(source);
  return bytes && formatAddress(bytes);
}

/** The family of an address that is one. */
export function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

/** True for 0.0.0.0 and ::, which stand for "none". */
export function isUnspecified(address: string): boolean {
  return parseAddress(address)?.every((byte) => byte === 0) === true;
}

/** The length of the longest prefix. */
export function fullPrefix(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** The prefix that a text says: a number of bits, or an IPv4 netmask. A sentence when it makes no sense. */
export function parsePrefix(source: string, family: Family): number | string {
  if (/^\d{1,3}$/.test(source)) {
    const prefix = Number(source);
    return prefix <= fullPrefix(family)
      ? prefix
      : `a prefix of IPv${family} has at most ${fullPrefix(family)} bits.`;
  }
  const mask = family === 4 ? parse4(source) : undefined;
  if (mask === undefined)
    return `it is no ${family === 4 ? "netmask such as 255.255.255.0, and no" : "prefix such as 64, a"} number of bits.`;
  return maskPrefix(mask) ?? "the ones of a netmask have to stand in one row from its beginning.";
}

/** The length of the prefix that a netmask marks; undefined when its ones do not stand in one row. */
export function maskPrefix(mask: Uint8Array): number | undefined {
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return /^1*0*$/.test(bits) ? bits.replaceAll("0", "").length : undefined;
}

/** The netmask of a prefix, of four bytes or sixteen. */
export function prefixMask(prefix: number, family: Family): Uint8Array {
  return Uint8Array.from({ length: fullPrefix(family) / 8 }, (_, at) => {
    const bits = Math.min(8, Math.max(0, prefix - at * 8));
    return 0xff & (0xff << (8 - bits));
  });
}

/** The network of an address: the address with no bit set behind the prefix. */
export function networkOf(address: string, prefix: number): string {
  const bytes = parseAddress(address) ?? new Uint8Array(4);
  const mask = prefixMask(prefix, familyOf(address));
  return formatAddress(bytes.map((byte, at) => byte & (mask[at] ?? 0)));
}

/** The prefix of the class that an IPv4 address was in before there were netmasks (RFC 791); the kernel's default. */
export function classPrefix(address: string): number {
  const first = parse4(address)?.[0] ?? 0;
  if (first < 128) return 8;
  return first < 192 ? 16 : 24;
}

function parse4(source: string): Uint8Array | undefined {
  const octets = source.split(".");
  if (octets.length !== 4 || !octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet))) return undefined;
  const bytes = octets.map(Number);
  return bytes.every((byte) => byte <= 255) ? Uint8Array.from(bytes) : undefined;
}

function parse6(source: string): Uint8Array | undefined {
  const halves = source.split("::");
  if (halves.length > 2) return undefined;
  const [front = [], back] = halves.map((half, at) => parseGroups(half, at === halves.length - 1));
  if (front === null || back === null) return undefined;
  if (back === undefined) return front.length === 16 ? Uint8Array.from(front) : undefined;
  // :: stands for one group at least.
  const zeros = 16 - front.length - back.length;
  return zeros < 2 ? undefined : Uint8Array.from([...front, ...Array<number>(zeros).fill(0), ...back]);
}

// The bytes of groups with colons between them, the last of which may be an IPv4 address; null when they are none.
function parseGroups(source: string, isLast: boolean): number[] | null {
  if (source === "") return [];
  const groups = source.split(":");
  const bytes: number[] = [];
  for (const [at, group] of groups.entries()) {
    if (isLast && at === groups.length - 1 && group.includes(".")) {
      const mapped = parse4(group);
      if (mapped === undefined) return null;
      bytes.push(...mapped);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return null;
      const number = Number.parseInt(group, 16);
      bytes.push(number >> 8, number & 0xff);
    }
  }
  return bytes;
}

// RFC 5952: the longest row of zero groups is left out, the first of equals, and never a single one (section 4.2). An
// IPv4-mapped address shows its IPv4 part (section 5).
function format6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return `::ffff:${bytes.subarray(12).join(".")}`;
  const { start, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  for (const [at, group] of groups.entries()) {
    if (group !== 0) start = at + 1;
    else if (at + 1 - start > longest.length) longest = { start, length: at + 1 - start };
  }
  return longest;
}
