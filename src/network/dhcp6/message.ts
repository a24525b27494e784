/** Messages of DHCPv6 between clients and servers, as data: RFC 8415. read.ts and write.ts have their bytes. */

import type { TYPES } from "./numbers.ts";

/** A message. What stands in none of its fields is left out by packDhcp6(), and passed over by parseDhcp6(). */
export interface Dhcp6Message {
  readonly type: Dhcp6Type;
  /** 24 bits. */
  readonly transaction: number;
  readonly clientId?: Uint8Array;
  readonly serverId?: Uint8Array;
  readonly associations?: readonly Association[];
  /** The numbers of the options that a client wants. */
  readonly requested?: readonly number[];
  /** 0 to 255; 255 ends a client's search. */
  readonly preference?: number;
  /** In hundredths of a second, 65535 at most. */
  readonly elapsed_cs?: number;
  readonly status?: Status;
  readonly rapidCommit?: boolean;
  readonly nameservers?: readonly string[];
  readonly search?: readonly string[];
  /** A host name that the server may register. */
  readonly hostName?: string;
  readonly ntpServers?: readonly string[];
}

/** IA_NA: addresses that belong together. */
export interface Association {
  /** 32 bits that the client chose. */
  readonly id: number;
  /** When to renew it, and when to ask any server; 0 leaves it to the client. */
  readonly renew_s: number;
  readonly rebind_s: number;
  readonly addresses: readonly LeasedAddress[];
  readonly status?: Status;
}

export interface LeasedAddress {
  readonly address: string;
  /** `forever_s` has no end. */
  readonly preferred_s: number;
  readonly valid_s: number;
}

export interface Status {
  readonly code: number;
  /** For people; a byte string. */
  readonly message: string;
}

export type Dhcp6Type = (typeof TYPES)[number];

/** A lifetime without end. */
export const forever_s = 0xffff_ffff;

/** Numbers of options, for `requested`. */
export const dhcp6Options = {
  nameservers: 23,
  search: 24,
  sntpServers: 31,
  ntpServers: 56,
} as const;

/** Status codes of section 21.13. */
export const dhcp6Status = { success: 0, noAddresses: 2, noBinding: 3, notOnLink: 4 } as const;
