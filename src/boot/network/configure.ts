/** Addresses and routes from texts to the kernel. */

import { isErrno } from "../../../syscalls/index.ts";
import {
  type Rtnetlink,
  addAddress,
  addRoute,
  readAddresses,
  removeAddress,
} from "../../../syscalls/rtnetlink/index.ts";
import { familyOf, formatAddress, parseAddress } from "../../network/address.ts";
import type { OnLink } from "../../network/routes.ts";
import type { Route } from "../../network/types.ts";

/** Where a route comes from, for what takes the network over. */
export type Origin = "static" | "dhcp";

/** Sets an address. @throws SysError */
export function setAddress(kernel: Rtnetlink, link: number, { address, prefix, peer }: OnLink): void {
  const bytes = bytesOf(address);
  const hasBroadcast = familyOf(address) === 4 && peer === undefined && prefix < 31;
  addAddress(kernel, {
    link,
    address: bytes,
    prefix,
    broadcast: hasBroadcast ? broadcastOf(bytes, prefix) : undefined,
    peer: peer === undefined ? undefined : bytesOf(peer),
  });
}

/** Removes an address, if it is there. @throws SysError */
export function dropAddress(kernel: Rtnetlink, link: number, address: string): void {
  for (const one of readAddresses(kernel))
    if (one.link === link && formatAddress(one.address) === address) {
      try {
        removeAddress(kernel, one);
      } catch (error) {
        if (!isErrno(error, "EADDRNOTAVAIL", "ENODEV")) throw error;
      }
    }
}

/** Sets a route. @throws SysError; ENETUNREACH and others while nothing leads to its gateway */
export function setRoute(
  kernel: Rtnetlink,
  link: number | undefined,
  { destination, prefix, gateway }: Route,
  how: { readonly metric: number | undefined; readonly origin: Origin },
): void {
  addRoute(kernel, {
    link,
    destination: bytesOf(destination),
    prefix,
    gateway: gateway === undefined ? undefined : bytesOf(gateway),
    ...how,
  });
}

function broadcastOf(address: Uint8Array, prefix: number): Uint8Array {
  return address.map((byte, at) => {
    const bits = Math.min(8, Math.max(0, prefix - at * 8));
    return byte | (0xff >> bits);
  });
}

/** @throws RangeError for what is no address, which the parsers let through nowhere */
function bytesOf(address: string): Uint8Array {
  const bytes = parseAddress(address);
  if (bytes === undefined) throw new RangeError(`${address} is no address`);
  return bytes;
}
