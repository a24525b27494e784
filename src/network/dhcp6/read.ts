/** Messages of DHCPv6 out of datagrams: RFC 8415, sections 8 and 21. */

import { fromBytes } from "../../lib/bytes.ts";
import { formatAddress } from "../address.ts";
import { parseNames } from "./names.ts";
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
  REQUESTED,
  SERVER_ID,
  STATUS,
  TYPES,
} from "./numbers.ts";

/** Reads a datagram; undefined when it is none of these messages, or its lengths do not fit. Never throws. */
export function parseDhcp6(datagram: Uint8Array): Dhcp6Message | undefined {
  const type = TYPES[(datagram[0] ?? 0) - 1];
  if (type === undefined || datagram.length < 4) return undefined;
  try {
    let message: Dhcp6Message = { type, transaction: number(datagram, 1, 3) };
    for (const [code, body] of parseOptions(datagram.subarray(4)))
      message = { ...message, ...readOption(code, body, message) };
    return message;
  } catch (error) {
    if (error === malformed) return undefined;
    throw error;
  }
}

// One option's part of a message. Those that may come often are joined with what was read before.
function readOption(code: number, body: Uint8Array, before: Dhcp6Message): Partial<Dhcp6Message> {
  switch (code) {
    case CLIENT_ID:
      return { clientId: Uint8Array.from(body) };
    case SERVER_ID:
      return { serverId: Uint8Array.from(body) };
    case ASSOCIATION:
      return { associations: [...(before.associations ?? []), readAssociation(body)] };
    case REQUESTED:
      return { requested: pieces(body, 2).map((piece) => number(piece, 0, 2)) };
    case PREFERENCE:
      return { preference: number(body, 0, 1) };
    case ELAPSED:
      return { elapsed_cs: number(body, 0, 2) };
    case STATUS:
      return { status: readStatus(body) };
    case RAPID_COMMIT:
      return { rapidCommit: true };
    case dhcp6Options.nameservers:
      return { nameservers: pieces(body, 16).map(formatAddress) };
    case dhcp6Options.search:
      return { search: parseNames(body) ?? fail() };
    case HOST_NAME: {
      // What a server makes of ours is nothing that an address should depend on.
      const hostName = parseNames(body.subarray(1))?.[0];
      return hostName === undefined ? {} : { hostName };
    }
    case dhcp6Options.sntpServers:
      return { ntpServers: [...(before.ntpServers ?? []), ...pieces(body, 16).map(formatAddress)] };
    case dhcp6Options.ntpServers: {
      const servers = parseOptions(body).filter(
        ([kind, address]) => kind === NTP_ADDRESS && address.length === 16,
      );
      return {
        ntpServers: [...(before.ntpServers ?? []), ...servers.map(([, address]) => formatAddress(address))],
      };
    }
    default:
      return {};
  }
}

function readAssociation(body: Uint8Array): Association {
  const options = parseOptions(body.subarray(12));
  const status = options.find(([code]) => code === STATUS)?.[1];
  return {
    id: number(body, 0, 4),
    renew_s: number(body, 4, 4),
    rebind_s: number(body, 8, 4),
    addresses: options.flatMap(([code, address]) =>
      code === ADDRESS
        ? [
            {
              address: formatAddress(Uint8Array.from(address.length < 24 ? fail() : address.subarray(0, 16))),
              preferred_s: number(address, 16, 4),
              valid_s: number(address, 20, 4),
            },
          ]
        : [],
    ),
    ...(status === undefined ? {} : { status: readStatus(status) }),
  };
}

function readStatus(body: Uint8Array): Status {
  return { code: number(body, 0, 2), message: fromBytes(body.subarray(2)) };
}

// Codes and bodies.
function parseOptions(bytes: Uint8Array): (readonly [code: number, body: Uint8Array])[] {
  const options: (readonly [number, Uint8Array])[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + number(bytes, at + 2, 2);
    if (end > bytes.length) fail();
    options.push([number(bytes, at, 2), bytes.subarray(at + 4, end)]);
    at = end;
  }
  return options;
}

function number(bytes: Uint8Array, at: number, length: number): number {
  if (at + length > bytes.length) fail();
  return bytes.subarray(at, at + length).reduce((sum, byte) => sum * 256 + byte, 0);
}

function pieces(body: Uint8Array, length: number): Uint8Array[] {
  if (body.length % length !== 0) fail();
  return Array.from({ length: body.length / length }, (_, at) =>
    body.subarray(at * length, (at + 1) * length),
  );
}

const malformed = new Error("the message is malformed");

function fail(): never {
  throw malformed;
}
