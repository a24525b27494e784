/** The event that every wait for the network waits on: something about links, addresses or routes has changed. */

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

/**
 * Listens to the kernel's announcements. What they say is not read: who is woken looks at what is, so that one that
 * was lost does no harm.
 */
export class NetworkMonitor {
  private readonly sys: Syscalls;
  private readonly fd: Fd;
  private next = Promise.withResolvers<void>();
  private readonly failed: (error: SysError) => void;

  /**
   * From now on nothing is missed. `failed` hears when the kernel's announcements end: then nobody is woken any more.
   * @throws SysError
   */
  constructor(sys: Syscalls, failed: (error: SysError) => void) {
    this.sys = sys;
    this.failed = failed;
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
        await this.sys.slow.recv(this.fd);
        // All that came by now is one change.
        while (this.sys.recv(this.fd, MSG_DONTWAIT) !== undefined);
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        // Announcements were lost, or one was longer than fits: there was a change all the same.
        if (!isErrno(error, "ENOBUFS", "EMSGSIZE")) return this.failed(error);
      }
      this.wake();
    }
  }
}

/** RTMGRP_* of linux/rtnetlink.h: links, and addresses and routes of both families. */
const GROUPS = 1 | 0x10 | 0x40 | 0x100 | 0x400;
