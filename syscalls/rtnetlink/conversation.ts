/** Questions and orders to the kernel's network, netlink(7). */

import { View } from "../../src/lib/bytes.ts";
import { AF_NETLINK, MSG_DONTWAIT, NETLINK_ROUTE, SOCK_CLOEXEC, SOCK_RAW } from "../constants.ts";
import { errnoNumber, fail } from "../errno.ts";
import type { Fd, Syscalls } from "../types.ts";
import { type Message, packMessage, parseMessages } from "./messages.ts";

/** One conversation with the kernel, which answers each request before write(2) returns. */
export class Rtnetlink {
  private readonly sys: Syscalls;
  private fd: Fd;
  private sequence = 0;

  /** @throws SysError */
  constructor(sys: Syscalls) {
    this.sys = sys;
    this.fd = sys.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  }

  /**
   * The bodies of all messages of type `wanted` with which the kernel answers. What changed while it was told is asked
   * for again.
   * @throws SysError
   */
  dump(request: number, wanted: number, body: Uint8Array): Uint8Array[] {
    for (let left = dumpAttempts; ; left--) {
      const { found, isWhole } = this.dumpOnce(request, wanted, body);
      if (isWhole || left <= 1) return found;
    }
  }

  /** Changes something. @throws SysError with the kernel's refusal */
  change(request: number, body: Uint8Array, flags = 0): void {
    const sequence = this.send(request, NLM_F_REQUEST | NLM_F_ACK | flags, body);
    for (;;) {
      const answers = this.receive().filter((message) => message.sequence === sequence);
      for (const answer of answers) if (answer.type === NLMSG_ERROR) return refuse(answer.body);
    }
  }

  /** From then on every request fails with EBADF. */
  close(): void {
    this.sys.close(this.fd);
    // The number may soon be another file's.
    this.fd = -1;
  }

  private dumpOnce(request: number, wanted: number, body: Uint8Array): Dump {
    const sequence = this.send(request, NLM_F_REQUEST | NLM_F_DUMP, body);
    const found: Uint8Array[] = [];
    let isWhole = true;
    for (;;) {
      for (const message of this.receive()) {
        // The rest of an answer that was given up.
        if (message.sequence !== sequence) continue;
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) isWhole = false;
        if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
          refuse(message.body);
          return { found, isWhole };
        }
        if (message.type === wanted) found.push(message.body);
      }
    }
  }

  private send(type: number, flags: number, body: Uint8Array): number {
    const sequence = ++this.sequence;
    this.sys.write(this.fd, packMessage({ type, flags, sequence, body }));
    return sequence;
  }

  private receive(): Message[] {
    const datagram = this.sys.recv(this.fd, MSG_DONTWAIT);
    if (datagram === undefined) return fail("recv", errnoNumber("ENODATA"));
    return parseMessages(datagram.bytes);
  }
}

interface Dump {
  readonly found: Uint8Array[];
  readonly isWhole: boolean;
}

// Both struct nlmsgerr and the end of a dump begin with the error, negative; 0 is no error.
function refuse(body: Uint8Array): void {
  const error = body.length < 4 ? 0 : -(new View(body).u32(0) | 0);
  if (error !== 0) fail("rtnetlink", error);
}

const dumpAttempts = 5;

/** A request that makes something, and nothing else: for `change`. */
export const NLM_F_CREATE_NEW = 0x400 | 0x200;
/** Makes something or takes the place of what is there. */
export const NLM_F_CREATE_OR_REPLACE = 0x400 | 0x100;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLM_F_DUMP_INTR = 0x10;
const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
