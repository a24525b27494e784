/** The socket and the clock of a client of DHCPv6 (src/network/dhcp6/client.ts). */

import { describe } from "../../lib/errors.ts";
import { type Dhcp6Event, Dhcp6Client, type Dhcp6Step } from "../../network/dhcp6/client.ts";
import type { Dhcp6Task } from "../../network/dhcp6/exchange.ts";
import { within } from "../children/children.ts";
import type { PartHost } from "./part.ts";

export interface Dhcp6Running {
  /** The address is another machine's: another one is asked for. */
  decline(): void;
  /** Ends it; with `release` it gives the address back before. Bounded, and never throws. */
  stop(release: boolean): Promise<void>;
}

/**
 * Runs a client from the link-local address `own`, which has to be usable; `hear` gets what it does.
 * @throws Error when the socket can't be had
 */
export async function startDhcp6(
  host: PartHost,
  own: string,
  task: Dhcp6Task,
  hear: (event: Dhcp6Event) => void,
): Promise<Dhcp6Running> {
  const { log } = host.session.boot;
  const client = new Dhcp6Client(task);
  const released = Promise.withResolvers<void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const act = ({ send, wake_ms, event }: Dhcp6Step): void => {
    clearTimeout(timer);
    if (send !== undefined) say(send);
    if (wake_ms !== Infinity) {
      const pause_ms = Math.min(Math.max(wake_ms - performance.now(), 0), longestTimer_ms);
      timer = setTimeout(() => act(client.step(performance.now())), pause_ms);
    }
    if (event === undefined) return;
    if (event.kind === "released") released.resolve();
    if (!isOver) hear(event);
  };
  // Bound to a link-local address, it hears and speaks on this link alone.
  const socket = await Bun.udpSocket({
    hostname: `${own}%${host.name}`,
    port: CLIENT_PORT,
    socket: { data: (_, datagram) => act(client.step(performance.now(), datagram)) },
  });
  const say = (datagram: Uint8Array): void => {
    try {
      socket.send(datagram, SERVER_PORT, `${SERVERS}%${host.name}`);
    } catch (error) {
      // It is said again in a moment.
      log.debug(`DHCPv6 on ${host.name}: ${describe(error)}`);
    }
  };
  act(client.step(performance.now()));
  return {
    decline: () => act(client.release(performance.now(), "decline")),
    stop: async (release) => {
      isOver = true;
      if (release) {
        act(client.release(performance.now()));
        await within(released.promise, release_ms);
      }
      clearTimeout(timer);
      socket.close();
    },
  };
}

/** RFC 8415, sections 7.1 and 7.2. */
const SERVERS = "ff02::1:2";
const CLIENT_PORT = 546;
const SERVER_PORT = 547;
const release_ms = 1000;
// setTimeout() takes 31 bits.
const longestTimer_ms = 2 ** 31 - 1;
