/** The kernel's stream of uevents: the event that every wait for a device waits on. */

import {
  AF_NETLINK,
  MSG_DONTWAIT,
  NETLINK_KOBJECT_UEVENT,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_RCVBUFFORCE,
  SysError,
  type Datagram,
  type Fd,
  type Syscalls,
  isErrno,
} from "../../syscalls/index.ts";
import { fromBytes, text } from "../lib/bytes.ts";
import { UserError, describe } from "../lib/errors.ts";
import type { Log } from "./log.ts";
import { type Uevent, parseUevent } from "./uevent.ts";

export interface UeventHandlers {
  /** Each event of the kernel, in order. */
  readonly event: (event: Uevent) => void;
  /** Events were lost, as more came than the socket holds: sysfs must be read anew. */
  readonly lost: () => void;
}

/**
 * Opens the socket; events are kept from this moment on. `run` delivers them for as long as process 1
 * lives. Follows netlink(7) and the kernel's lib/kobject_uevent.c: group 1, sent by port 0.
 * @throws UserError when the kernel has no netlink
 */
export function openUevents(sys: Syscalls): { run: (log: Log, handlers: UeventHandlers) => Promise<void> } {
  const fd = openSocket(sys);
  return { run: (log, handlers) => deliver(sys, fd, log, handlers) };
}

function openSocket(sys: Syscalls): Fd {
  try {
    const fd = sys.socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    // Only what is queued is paid for.
    sys.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, 64 * 1024 * 1024);
    sys.bindNetlink(fd, 1);
    return fd;
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new UserError(
      `The kernel's device events can't be listened to: ${describe(error)}.`,
      "The kernel needs CONFIG_NET.",
    );
  }
}

async function deliver(sys: Syscalls, fd: Fd, log: Log, handlers: UeventHandlers): Promise<void> {
  for (;;) {
    try {
      handle(await sys.slow.recv(fd), log, handlers);
      // What else is there needs no waiting for.
      for (let more = sys.recv(fd, MSG_DONTWAIT); more !== undefined; more = sys.recv(fd, MSG_DONTWAIT))
        handle(more, log, handlers);
    } catch (error) {
      if (!isErrno(error, "ENOBUFS")) {
        log.error(`The kernel's device events can't be read any more: ${describe(error)}.`);
        return;
      }
      log.warning("more device events came than could be kept; looking at all devices again.");
      guard(log, "The devices", () => handlers.lost());
    }
  }
}

function handle(datagram: Datagram, log: Log, handlers: UeventHandlers): void {
  if (datagram.senderPort !== 0) return;
  const event = parseUevent(fromBytes(datagram.bytes));
  if (event !== undefined) guard(log, `The event of ${text(event.devpath)}`, () => handlers.event(event));
}

// One event that can't be used must not end the stream that every wait hangs on.
function guard(log: Log, what: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    log.error(`${what} can't be taken in: ${describe(error)}.`);
  }
}
