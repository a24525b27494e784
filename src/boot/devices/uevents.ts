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
} from "../../../syscalls/index.ts";
import { fromBytes, text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { Log } from "../log.ts";
import { type Uevent, parseUevent } from "./uevent.ts";

export interface UeventHandlers {
  /** Events of the kernel, in order; of those that came at once, so many that other work has its turn. */
  readonly events: (events: readonly Uevent[]) => void;
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
    // Some ten thousand events. Only what is queued is paid for, and what is lost costs no more than a look around.
    sys.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, 16 * 1024 * 1024);
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

// How many events are handed on at once: a look at each device of them takes some milliseconds.
const mostAtOnce = 256;

async function deliver(sys: Syscalls, fd: Fd, log: Log, handlers: UeventHandlers): Promise<void> {
  let overruns = 0;
  for (;;) {
    try {
      // Waited for on a thread also when more is there: children, timers and disks are heard in between.
      handOn(log, handlers, collect(sys, fd, await sys.slow.recv(fd)));
    } catch (error) {
      if (!isErrno(error, "ENOBUFS")) {
        log.error(`The kernel's device events can't be read any more: ${describe(error)}.`);
        return;
      }
      const words = "more device events came than could be kept; looking at all devices again.";
      if (overruns++ === 0) log.warning(words);
      else log.debug(words);
      discard(sys, fd);
      guard(log, "The devices", () => handlers.lost());
    }
  }
}

/** The event in `first`, and those that wait for nobody behind it. */
function collect(sys: Syscalls, fd: Fd, first: Datagram): Uevent[] {
  const events: Uevent[] = [];
  let next: Datagram | undefined = first;
  for (let count = 1; next !== undefined; count++) {
    const event = next.senderPort === 0 ? parseUevent(fromBytes(next.bytes)) : undefined;
    if (event !== undefined) events.push(event);
    next = count < mostAtOnce ? sys.recv(fd, MSG_DONTWAIT) : undefined;
  }
  return events;
}

/**
 * Empties the socket. Once events were lost the kernel drops all that come, without a word, until everything that is
 * queued has been read (netlink_rcv_wake() in net/netlink/af_netlink.c): whoever looked around before would miss them.
 */
function discard(sys: Syscalls, fd: Fd): void {
  for (;;)
    try {
      if (sys.recv(fd, MSG_DONTWAIT) === undefined) return;
    } catch (error) {
      if (!isErrno(error, "ENOBUFS")) throw error;
    }
}

// What one event is to blame for costs none of the others.
function handOn(log: Log, handlers: UeventHandlers, events: readonly Uevent[]): void {
  try {
    if (events.length > 0) handlers.events(events);
  } catch {
    for (const event of events)
      guard(log, `The event of ${text(event.devpath)}`, () => handlers.events([event]));
  }
}

// One event that can't be used must not end the stream that every wait hangs on.
function guard(log: Log, what: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    log.error(`${what} can't be taken in: ${describe(error)}.`);
  }
}
