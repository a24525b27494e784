/** The event that every wait for the network waits on: something about links, addresses, routes or routers has changed. */

import {
  AF_NETLINK,
  MSG_DONTWAIT,
  NETLINK_ROUTE,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_SOCKET,
  SO_RCVBUFFORCE,
} from "../constants.ts";
import { SysError, isErrno } from "../error.ts";
import type { Fd, Syscalls } from "../types.ts";
import { type RouterOptions, parseRouterOptions } from "./router-options.ts";

/** Who hears what the kernel announces. */
export interface MonitorEars {
  /** The announcements have ended: nobody is woken any more. */
  readonly failed: (error: SysError) => void;
  /** What of an advertisement the kernel keeps nowhere. One that was lost comes again with the router's next. */
  readonly advertised?: (options: RouterOptions) => void;
}

/**
 * Listens to the kernel's announcements. What they say of links, addresses and routes is not read: who is woken looks at
 * what is, so that one that was lost does no harm.
 */
export class NetworkMonitor {
  private readonly sys: Syscalls;
  private readonly fd: Fd;
  private next = Promise.withResolvers<void>();
  private readonly ears: MonitorEars;

  /**
   * From now on nothing is missed.
   * @throws SysError
   */
  constructor(sys: Syscalls, ears: MonitorEars) {
    this.sys = sys;
    this.ears = ears;
    this.fd = sys.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    sys.setsockopt(this.fd, SOL_SOCKET, SO_RCVBUFFORCE, 1024 * 1024);
    sys.bindNetlink(this.fd, GROUPS);
    void this.run();
  }

  /** Resolves at the next change. */
  changed(): Promise<void> {
    return this.next.promise;
  }

  /** Wakes those who wait, for a change that the kernel does not know of. */
  wake(): void {
    const { resolve } = this.next;
    this.next = Promise.withResolvers();
    resolve();
  }

  private async run(): Promise<void> {
    for (;;) {
      try {
        this.hear((await this.sys.slow.recv(this.fd)).bytes);
        // All that came by now is one change.
        for (;;) {
          const more = this.sys.recv(this.fd, MSG_DONTWAIT);
          if (more === undefined) break;
          this.hear(more.bytes);
        }
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        // Announcements were lost, or one was longer than fits: there was a change all the same.
        if (!isErrno(error, "ENOBUFS", "EMSGSIZE")) return this.ears.failed(error);
      }
      this.wake();
    }
  }

  private hear(bytes: Uint8Array): void {
    for (const options of parseRouterOptions(bytes)) this.ears.advertised?.(options);
  }
}

/** RTMGRP_* of linux/rtnetlink.h: links, and addresses and routes of both families; and RTNLGRP_ND_USEROPT, the 20th. */
const GROUPS = 1 | 0x10 | 0x40 | 0x100 | 0x400 | (1 << 19);
