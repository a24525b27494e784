/** What the answers of DHCPv6 servers are worth. */

import { text } from "../../lib/bytes.ts";
import type { Lease } from "../types.ts";
import {
  type Association,
  type Dhcp6Message,
  type LeasedAddress,
  type Status,
  dhcp6Status,
  forever_s,
} from "./message.ts";

/** The address that an answer gives to the association, and when to speak to the server again. */
export interface Grant {
  readonly address: LeasedAddress;
  /** Infinity for never. */
  readonly renew_ms: number;
  readonly rebind_ms: number;
  readonly end_ms: number;
}

/**
 * What a message grants; undefined when it has no address that can be used (RFC 8415 sections 18.2.10.1 and 21.6). What
 * a server leaves open is half of the preferred lifetime, and four fifths of it.
 */
export function grantOf(message: Dhcp6Message, id: number): Grant | undefined {
  const association = message.associations?.find((one) => one.id === id);
  if (association === undefined || !isRight(association) || isRefusal(message.status)) return undefined;
  const address = association.addresses.find(
    ({ preferred_s, valid_s }) => valid_s > 0 && preferred_s <= valid_s,
  );
  if (address === undefined || isRefusal(association.status)) return undefined;
  const preferred_ms = span(address.preferred_s);
  const end_ms = span(address.valid_s);
  const rebind_ms = association.rebind_s === 0 ? preferred_ms * 0.8 : span(association.rebind_s);
  const renew_ms = association.renew_s === 0 ? preferred_ms * 0.5 : span(association.renew_s);
  return {
    address,
    renew_ms: Math.min(Math.max(shortest_ms, Math.min(renew_ms, rebind_ms)), end_ms),
    rebind_ms: Math.min(Math.max(shortest_ms, rebind_ms), end_ms),
    end_ms,
  };
}

/** The lease that a message with this grant makes; of the address alone, as routes come from routers. */
export function leaseOf(message: Dhcp6Message, grant: Grant): Lease {
  const { address, valid_s } = grant.address;
  return {
    family: 6,
    address,
    prefix: 128,
    routers: [],
    routes: [],
    ...informationOf(message),
    ...(valid_s === forever_s ? {} : { seconds: valid_s }),
  };
}

/** What a message tells besides addresses. */
export function informationOf({
  nameservers = [],
  search = [],
  ntpServers = [],
}: Dhcp6Message): Pick<Lease, "nameservers" | "search" | "ntpServers"> {
  return {
    nameservers,
    ...(search.length === 0 ? {} : { search }),
    ...(ntpServers.length === 0 ? {} : { ntpServers }),
  };
}

/** Why a message gives no address, for people; undefined when it does not say. */
export function refusalOf({ status, associations = [] }: Dhcp6Message): string | undefined {
  const refusal = [status, ...associations.map((one) => one.status)].find(isRefusal);
  if (refusal === undefined) return undefined;
  const known = REASONS.get(refusal.code) ?? `status ${refusal.code}`;
  return refusal.message === "" ? known : `${known} (${text(refusal.message)})`;
}

/** True when the server does not know the association, and wants to be asked for it anew. */
export function lacksBinding({ associations = [] }: Dhcp6Message): boolean {
  return associations.some(({ status }) => status?.code === dhcp6Status.noBinding);
}

function isRefusal(status: Status | undefined): status is Status {
  return status !== undefined && status.code !== dhcp6Status.success;
}

function isRight({ renew_s, rebind_s }: Association): boolean {
  return renew_s === 0 || rebind_s === 0 || renew_s <= rebind_s;
}

function span(seconds: number): number {
  return seconds === forever_s ? Number.POSITIVE_INFINITY : seconds * 1000;
}

// A server that says nought is not to be asked without a pause.
const shortest_ms = 1000;

const REASONS: ReadonlyMap<number, string> = new Map([
  [1, "the server failed"],
  [2, "the server has no address to give"],
  [3, "the server does not know of the address"],
  [4, "the address does not belong to this network"],
  [5, "the server wants to be asked by multicast"],
]);
