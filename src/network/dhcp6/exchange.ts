/** What a client of DHCPv6 says: RFC 8415 sections 18.2.1 to 18.2.8. */

import type { Grant } from "./answer.ts";
import { type Association, type Dhcp6Message, dhcp6Options } from "./message.ts";
import type { schedules } from "./retransmit.ts";

/** Who asks, and for what. */
export interface Dhcp6Task {
  /** The client's identifier: identity.ts. */
  readonly duid: Uint8Array;
  /** The association's, 32 bits: one for each interface. */
  readonly id: number;
  /** An address, or nameservers and the like alone. */
  readonly wants: "address" | "information";
  readonly hostName?: string | undefined;
}

/** A message that is sent until it is answered. */
export interface Exchange {
  readonly type: keyof typeof schedules;
  readonly transaction: number;
  readonly serverId: Uint8Array | undefined;
  readonly address: Grant["address"] | undefined;
  /** When it was sent first. */
  began_ms: number | undefined;
  sent: number;
  pause_ms: number | undefined;
  due_ms: number;
  /** The best that servers have offered while their answers are gathered. */
  offer: Dhcp6Message | undefined;
}

/** An exchange that begins at `due_ms`. `random` is from 0 to below 1. */
export function newExchange(
  type: Exchange["type"],
  due_ms: number,
  random: number,
  serverId: Uint8Array | undefined,
  address: Grant["address"] | undefined,
): Exchange {
  const transaction = Math.floor(random * 0x100_0000);
  const unsent = { began_ms: undefined, sent: 0, pause_ms: undefined, offer: undefined };
  return { type, transaction, serverId, address, due_ms, ...unsent };
}

/** The message of an exchange, at this time. */
export function messageOf(
  exchange: Exchange,
  { duid, id, hostName }: Dhcp6Task,
  now_ms: number,
): Dhcp6Message {
  const { type, transaction, serverId, address, began_ms = now_ms } = exchange;
  return {
    type,
    transaction,
    clientId: duid,
    ...(serverId === undefined ? {} : { serverId }),
    ...(type === "information-request" ? {} : { associations: [association(id, address)] }),
    ...(type === "release" || type === "decline" ? {} : { requested: REQUESTED }),
    elapsed_cs: Math.round((now_ms - began_ms) / 10),
    ...(type === "solicit" ? { rapidCommit: true } : {}),
    ...(hostName === undefined || !REGISTERS.has(type) ? {} : { hostName }),
  };
}

const REQUESTED = [
  dhcp6Options.nameservers,
  dhcp6Options.search,
  dhcp6Options.sntpServers,
  dhcp6Options.ntpServers,
];
const REGISTERS: ReadonlySet<Exchange["type"]> = new Set(["solicit", "request", "renew", "rebind"]);

function association(id: number, address: Grant["address"] | undefined): Association {
  // The server is to set the times.
  return {
    id,
    renew_s: 0,
    rebind_s: 0,
    addresses: address === undefined ? [] : [{ ...address, preferred_s: 0, valid_s: 0 }],
  };
}
