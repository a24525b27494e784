/** Messages of DHCPv6 into datagrams: RFC 8415, sections 8 and 21. */

import { toBytes } from "../../lib/bytes.ts";
import { parseAddress } from "../address.ts";
import { packNames } from "./names.ts";
import { type Association, type Dhcp6Message, dhcp6Options, type Status } from "./message.ts";
import {
  ADDRESS,
  ASSOCIATION,
  CLIENT_ID,
  ELAPSED,
  HOST_NAME,
  NTP_ADDRESS,
  PREFERENCE,
  RAPID_COMMIT,
  REGISTER,
  REQUESTED,
  SERVER_ID,
  STATUS,
  TYPES,
} from "./numbers.ts";

/** The datagram of a message. */
export function packDhcp6(message: Dhcp6Message): Uint8Array {
  const { clientId, serverId, associations = [], requested, preference, elapsed_cs, status } = message;
  const { rapidCommit, nameservers, search, hostName, ntpServers } = message;
  return joined([
    Uint8Array.of(TYPES.indexOf(message.type) + 1),
    big(message.transaction, 3),
    ...(clientId === undefined ? [] : [option(CLIENT_ID, clientId)]),
    ...(serverId === undefined ? [] : [option(SERVER_ID, serverId)]),
    ...associations.map(packAssociation),
    ...(requested === undefined ? [] : [option(REQUESTED, ...requested.map((code) => big(code, 2)))]),
    ...(preference === undefined ? [] : [option(PREFERENCE, big(preference, 1))]),
    ...(elapsed_cs === undefined ? [] : [option(ELAPSED, big(Math.min(elapsed_cs, 0xffff), 2))]),
    ...(status === undefined ? [] : [packStatus(status)]),
    ...(rapidCommit === true ? [option(RAPID_COMMIT)] : []),
    ...(nameservers === undefined ? [] : [option(dhcp6Options.nameservers, ...nameservers.map(bytes6))]),
    ...(search === undefined ? [] : [option(dhcp6Options.search, packNames(search))]),
    ...(hostName === undefined ? [] : [option(HOST_NAME, Uint8Array.of(REGISTER), packNames([hostName]))]),
    ...(ntpServers === undefined
      ? []
      : [
          option(
            dhcp6Options.ntpServers,
            ...ntpServers.map((address) => option(NTP_ADDRESS, bytes6(address))),
          ),
        ]),
  ]);
}

function packAssociation({ id, renew_s, rebind_s, addresses, status }: Association): Uint8Array {
  return option(
    ASSOCIATION,
    big(id, 4),
    big(renew_s, 4),
    big(rebind_s, 4),
    ...addresses.map(({ address, preferred_s, valid_s }) =>
      option(ADDRESS, bytes6(address), big(preferred_s, 4), big(valid_s, 4)),
    ),
    ...(status === undefined ? [] : [packStatus(status)]),
  );
}

function packStatus({ code, message }: Status): Uint8Array {
  return option(STATUS, big(code, 2), toBytes(message));
}

function option(code: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = joined(parts);
  return joined([big(code, 2), big(body.length, 2), body]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function big(value: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => Math.floor(value / 256 ** (length - 1 - at)) % 256);
}

function bytes6(address: string): Uint8Array {
  const bytes = parseAddress(address);
  return bytes?.length === 16 ? bytes : new Uint8Array(16);
}
