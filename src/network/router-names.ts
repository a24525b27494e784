/**
 * Name servers and domains that routers advertise: the options RDNSS and DNSSL of RFC 8106, section 5. The kernel passes
 * them on and makes no use of them.
 */

import { View } from "../lib/bytes.ts";
import { formatAddress, isUnspecified } from "./address.ts";
import { parseNames } from "./dhcp6/names.ts";

/** A name server or a domain, and until when it may be used, in ms of whoever keeps it. */
export interface Advertised {
  readonly kind: "nameserver" | "domain";
  readonly value: string;
  readonly until_ms: number;
}

/**
 * What is known after an advertisement. What it names counts anew, for its lifetime; what has a lifetime of 0 counts no
 * more; what is cut short or makes no sense is passed over.
 * @param link the name of the interface, without which an address of the link leads nowhere (resolv.conf(5))
 */
export function takeAdvertised(
  known: readonly Advertised[],
  options: Uint8Array,
  { now_ms, link }: { readonly now_ms: number; readonly link: string },
): Advertised[] {
  const told = splitOptions(options).flatMap((option) => readOption(option, link));
  const fresh = told.map(({ kind, value, lifetime_s }) => ({
    kind,
    value,
    until_ms: lifetime_s === FOR_EVER ? Number.POSITIVE_INFINITY : now_ms + lifetime_s * 1000,
  }));
  const isNew = (one: Advertised): boolean =>
    known.every(({ kind, value }) => kind !== one.kind || value !== one.value);
  const renewed = known.map(
    (one) => fresh.findLast(({ kind, value }) => kind === one.kind && value === one.value) ?? one,
  );
  return valid([...renewed, ...fresh.filter(isNew)], now_ms).slice(0, MOST);
}

/** Those that may be used now. */
export function valid(known: readonly Advertised[], now_ms: number): Advertised[] {
  return known.filter(({ until_ms }) => until_ms > now_ms);
}

interface Told extends Omit<Advertised, "until_ms"> {
  readonly lifetime_s: number;
}

function readOption(option: View, link: string): Told[] {
  const lifetime_s = option.u32be(4);
  switch (option.u8(0)) {
    case RDNSS:
      return Array.from({ length: Math.floor((option.length - 8) / 16) }, (_, at) =>
        formatAddress(option.slice(8 + 16 * at, 16)),
      ).flatMap((address) =>
        isUnspecified(address)
          ? []
          : [{ kind: "nameserver" as const, value: withZone(address, link), lifetime_s }],
      );
    case DNSSL: {
      const names = parseNames(option.slice(8, option.length - 8)) ?? [];
      return names.map((value) => ({ kind: "domain" as const, value, lifetime_s }));
    }
    default:
      return [];
  }
}

// An option's length is told in units of eight bytes (RFC 4861 section 4.6).
function splitOptions(bytes: Uint8Array): View[] {
  const view = new View(bytes);
  const found: View[] = [];
  for (let at = 0; at + 8 <= view.length;) {
    const length = 8 * view.u8(at + 1);
    if (length === 0 || at + length > view.length) break;
    found.push(new View(view.slice(at, length)));
    at += length;
  }
  return found;
}

function withZone(address: string, link: string): string {
  return /^fe[89ab]/.test(address) ? `${address}%${link}` : address;
}

const RDNSS = 25;
const DNSSL = 31;
const FOR_EVER = 0xffff_ffff;
/** Whoever is on the link can send as many as it likes. */
const MOST = 16;
