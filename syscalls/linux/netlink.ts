/** Netlink sockets, netlink(7). */

import { View } from "../../src/lib/bytes.ts";
import { MSG_TRUNC } from "../constants.ts";
import { isErrno } from "../error.ts";
import { errnoNumber, fail } from "../errno.ts";
import { SIZE, packNetlinkAddress, readNetlinkPort } from "../struct.ts";
import type { Datagram, Syscalls } from "../types.ts";
import type { Kernel } from "./kernel.ts";

/** The kernel's uevents have at most 2 KiB, those that udev sends on at most 8. */
const DATAGRAM_BYTES = 16 * 1024;

export function netlink(k: Kernel) {
  let reused: Reception | undefined;
  return {
    socket: (domain, type, protocol) => k.call("socket", "socket", undefined, domain, type, protocol),
    bindNetlink(fd, groups) {
      k.call("bind", "bind", undefined, fd, packNetlinkAddress(groups), SIZE.sockaddr_nl);
    },
    setsockopt(fd, level, option, value) {
      const bytes = new Uint8Array(Int32Array.of(value).buffer);
      k.call("setsockopt", "setsockopt", undefined, fd, level, option, bytes, bytes.byteLength);
    },
    recv(fd, flags) {
      reused ??= new Reception();
      try {
        return reused.datagram(k.call("recvfrom", "recv", undefined, ...reused.begin(fd, flags)));
      } catch (error) {
        if (isErrno(error, "EAGAIN")) return undefined;
        throw error;
      }
    },
  } satisfies Partial<Syscalls>;
}

/** The buffers of a recvfrom(2), and what it makes of them. */
export class Reception {
  private readonly buffer = new Uint8Array(DATAGRAM_BYTES);
  private readonly sender = new Uint8Array(SIZE.sockaddr_nl);
  private readonly senderLength = new Int32Array(1);

  /** The arguments of recvfrom(2). */
  begin(fd: number, flags: number) {
    this.senderLength[0] = SIZE.sockaddr_nl;
    const length = new Uint8Array(this.senderLength.buffer);
    // With MSG_TRUNC the result is the datagram's own length, so that one cut short can be told.
    return [fd, this.buffer, DATAGRAM_BYTES, flags | MSG_TRUNC, this.sender, length] as const;
  }

  /**
   * @param length the result of the call
   * @throws SysError EMSGSIZE for a datagram that was cut short, EPROTOTYPE when the sender's address is
   *   not netlink's: a foreign address must not pass for port 0, the kernel
   */
  datagram(length: number): Datagram {
    if (length > DATAGRAM_BYTES) fail("recv", errnoNumber("EMSGSIZE"));
    const port = readNetlinkPort(new View(this.sender), this.senderLength[0] ?? 0);
    if (port === undefined) fail("recv", errnoNumber("EPROTOTYPE"));
    return { bytes: this.buffer.slice(0, length), senderPort: port };
  }
}
