/**
 * ip=dhcp6: an address of IPv6 from a server, by a client of our own: Debian's busybox has none, and all that is needed
 * besides the messages is a socket. Routes come from routers' advertisements, as DHCPv6 has none.
 */

import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import type { Dhcp6Event } from "../../network/dhcp6/client.ts";
import { associationOfMac, duidOfMac } from "../../network/dhcp6/identity.ts";
import type { Lease } from "../../network/types.ts";
import { listenToRouters, untilAddress, untilUnique } from "./address6.ts";
import { dropAddress, setAddress } from "./configure.ts";
import { startDhcp6 } from "./dhcp6-socket.ts";
import type { PartHost, Report } from "./part.ts";

/** Gets a lease, configures the interface by it, and keeps it renewed. */
export async function runDhcp6(host: PartHost, report: Report): Promise<void> {
  const { session } = host;
  const { timeouts, dhcp } = session.settings;
  const name = text(host.name);
  let lease: Lease | undefined;
  let refusal = "";
  const take = (event: Dhcp6Event): void => {
    if (event.kind === "bound") {
      if (lease !== undefined && lease.address !== event.lease.address) drop(host, lease);
      set(host, event.lease, lease?.address !== event.lease.address);
      lease = event.lease;
    } else if (event.kind === "lost" && lease !== undefined) {
      session.boot.log.warning(`The lease of ${lease.address} on ${name} is lost; asking for another.`);
      drop(host, lease);
      lease = undefined;
      report("under way");
    } else if (event.kind === "refused") refusal = ` (${event.why})`;
  };
  const hear = (event: Dhcp6Event): void => {
    try {
      take(event);
    } catch (error) {
      report(new UserError(`The lease on ${name} can't be used: ${describe(error)}.`));
    }
    session.wake();
  };
  const client = await start(host, report, "address", hear);
  const timeout_ms = timeouts.dhcp_ms * dhcp.tries;
  const wait = {
    look: () => lease,
    describe: () => (host.isSpare() ? undefined : `waiting for a DHCPv6 lease on ${name}${refusal}`),
  };
  for (;;) {
    let got = await session.wait({ ...wait, timeout_ms });
    if (got === undefined) {
      const late = `No DHCPv6 server has given ${name} an address within ${timeout_ms / 1000} s${refusal}.`;
      report(new UserError(late, "rdinit goes on asking."));
      got = await session.until(wait.look);
    }
    const { address } = got;
    if (await untilUnique(host, report, address)) {
      report("done");
      await session.until(() => (lease?.address === address ? undefined : true));
    } else {
      session.boot.log.warning(
        `Another machine on ${name} has ${address}, which the server gave; asking for another.`,
      );
      drop(host, got);
      lease = undefined;
      client.decline();
    }
  }
}

/** Asks for nameservers and the like alone, as routers' advertisements that the kernel reads bring addresses without them. */
export async function runInformation6(host: PartHost, report: Report, address: string): Promise<void> {
  await start(host, report, "information", (event) => {
    if (event.kind !== "informed") return;
    host.setLease(6, { family: 6, address, prefix: 64, routers: [], routes: [], ...event.information });
  });
}

async function start(
  host: PartHost,
  report: Report,
  wants: "address" | "information",
  hear: (event: Dhcp6Event) => void,
): ReturnType<typeof startDhcp6> {
  listenToRouters(host);
  const { dad_ms } = host.session.settings.timeouts;
  let own = await untilAddress(host, "link", dad_ms);
  if (own === undefined) {
    report(new UserError(`${text(host.name)} has no link-local address of IPv6 after ${dad_ms / 1000} s.`));
    own = await untilAddress(host, "link", undefined);
  }
  const mac = host.look()?.mac ?? "";
  const task = { duid: duidOfMac(mac), id: associationOfMac(mac), wants, hostName: host.wish.hostName };
  const client = await startDhcp6(host, own ?? "", task, hear);
  host.atEnd((release) => client.stop(release && wants === "address"));
  return client;
}

function set(host: PartHost, lease: Lease, isNew: boolean): void {
  const { address, prefix, seconds } = lease;
  setAddress(host.session.kernel, host.link, { address, prefix });
  host.keep({ address, prefix });
  host.setLease(6, lease);
  const time = seconds === undefined ? "" : `, for ${seconds} s`;
  if (isNew) host.session.boot.log.info(`${text(host.name)} has ${address}/${prefix} by DHCPv6${time}`);
}

function drop(host: PartHost, { address }: Lease): void {
  dropAddress(host.session.kernel, host.link, address);
  host.drop(address);
  host.setLease(6, undefined);
}
