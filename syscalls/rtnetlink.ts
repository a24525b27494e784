/** Links and addresses of the network, on any Syscalls: rtnetlink(7), linux/rtnetlink.h, linux/if_addr.h. */

import { View } from "../src/lib/bytes.ts";
import { AF_NETLINK, MSG_DONTWAIT, NETLINK_ROUTE, SOCK_CLOEXEC, SOCK_RAW } from "./constants.ts";
import { fail } from "./errno.ts";
import type { Fd, Syscalls } from "./types.ts";

/** A network interface. */
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly isUp: boolean;
}

/** An address of an interface, as the kernel describes it and takes it back. */
export interface LinkAddress {
  readonly link: number;
  /** struct ifaddrmsg and its attributes. */
  readonly message: Uint8Array;
}

/** One conversation with the kernel, which answers each request before write(2) returns. */
export class Rtnetlink {
  private readonly sys: Syscalls;
  private readonly fd: Fd;

  /** @throws SysError */
  constructor(sys: Syscalls) {
    this.sys = sys;
    this.fd = sys.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  }

  /** @throws SysError */
  links(): Link[] {
    return this.dump(RTM.getLink, RTM.newLink).map((body) => {
      const view = new View(body);
      return {
        index: view.u32(4),
        name: attribute(body, IFINFO_BYTES, IFLA_IFNAME),
        isUp: (view.u32(8) & IFF_UP) !== 0,
      };
    });
  }

  /** Of both families. @throws SysError */
  addresses(): LinkAddress[] {
    return this.dump(RTM.getAddress, RTM.newAddress).map((message) => ({
      link: new View(message).u32(4),
      message,
    }));
  }

  /** @throws SysError */
  removeAddress({ message }: LinkAddress): void {
    this.change(RTM.deleteAddress, message);
  }

  /** @throws SysError */
  setDown(link: number): void {
    const message = new DataView(new ArrayBuffer(IFINFO_BYTES));
    message.setUint32(4, link, true);
    // No flag is set, and of all flags this one is changed.
    message.setUint32(12, IFF_UP, true);
    this.change(RTM.newLink, new Uint8Array(message.buffer));
  }

  close(): void {
    this.sys.close(this.fd);
  }

  private dump(request: number, wanted: number): Uint8Array[] {
    this.sys.write(this.fd, pack(request, NLM_F_REQUEST | NLM_F_DUMP, new Uint8Array(IFINFO_BYTES)));
    const found: Uint8Array[] = [];
    for (;;) {
      for (const { type, body } of this.receive()) {
        if (type === NLMSG_DONE) return found;
        if (type === NLMSG_ERROR) refuse(body);
        // The next datagram comes in the same buffer.
        if (type === wanted) found.push(Uint8Array.from(body));
      }
    }
  }

  private change(request: number, message: Uint8Array): void {
    this.sys.write(this.fd, pack(request, NLM_F_REQUEST | NLM_F_ACK, message));
    for (const { type, body } of this.receive()) if (type === NLMSG_ERROR) refuse(body);
  }

  private receive(): Message[] {
    const datagram = this.sys.recv(this.fd, MSG_DONTWAIT);
    return datagram === undefined ? fail("recv", ENODATA) : parseMessages(datagram.bytes);
  }
}

/** A message of netlink(7) without its header. */
export interface Message {
  readonly type: number;
  readonly body: Uint8Array;
}

/** Takes a datagram apart; what is cut short at its end is passed over. */
export function parseMessages(datagram: Uint8Array): Message[] {
  const view = new View(datagram);
  const messages: Message[] = [];
  for (let at = 0; at + HEADER_BYTES <= view.length;) {
    const length = view.u32(at);
    if (length < HEADER_BYTES || at + length > view.length) break;
    messages.push({ type: view.u16(at + 4), body: view.slice(at + HEADER_BYTES, length - HEADER_BYTES) });
    at += aligned(length);
  }
  return messages;
}

function pack(type: number, flags: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

// struct nlmsgerr begins with the error, negative; 0 is an acknowledgement.
function refuse(body: Uint8Array): void {
  const error = -(new View(body).u32(0) | 0);
  if (error !== 0) fail("rtnetlink", error);
}

// struct rtattr: length and type, then the value, each aligned.
function attribute(body: Uint8Array, from: number, wanted: number): string {
  const view = new View(body);
  for (let at = from; at + 4 <= view.length;) {
    const length = view.u16(at);
    if (length < 4 || at + length > view.length) break;
    if (view.u16(at + 2) === wanted) return view.string(at + 4, length - 4);
    at += aligned(length);
  }
  return "";
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}

const RTM = { newLink: 16, getLink: 18, newAddress: 20, deleteAddress: 21, getAddress: 22 } as const;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const IFLA_IFNAME = 3;
const IFF_UP = 1;
const ENODATA = 61;
const HEADER_BYTES = 16;
const IFINFO_BYTES = 16;
