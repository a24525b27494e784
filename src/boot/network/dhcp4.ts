/** ip=dhcp: an address of IPv4 with all that a DHCP server gives. */

import { text } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import { formatAddress } from "../../network/address.ts";
import { leaseRoutes } from "../../network/routes.ts";
import type { Lease } from "../../network/types.ts";
import { describeEnd } from "../children/children.ts";
import { lastLines } from "../children/output.ts";
import { dropAddress, setAddress, setRoute } from "./configure.ts";
import { tellOfConflict } from "./conflict.ts";
import { type Dhcp4Client, startDhcp4 } from "./dhcp4-child.ts";
import type { LeaseEvent } from "./lease-event.ts";
import type { PartHost, Report } from "./part.ts";

/** Gets a lease, configures the interface by it, and keeps it renewed. @throws UserError when that can't be */
export async function runDhcp4(host: PartHost, report: Report): Promise<void> {
  const { session, name } = host;
  const there = session.addressesAtStart.find(
    ({ link, address, scope }) => link === host.link && address.length === 4 && scope === "global",
  );
  if (there !== undefined) {
    session.boot.log.info(
      `${text(name)} has ${formatAddress(there.address)} already; it is not asked for by DHCP`,
    );
    return report("done");
  }
  const { timeouts, dhcp } = session.settings;
  const timeout_ms = timeouts.dhcp_ms * dhcp.tries;
  let lease: Lease | undefined;
  let isEnding = false;
  const hear = (event: LeaseEvent): void => {
    if (isEnding) return;
    if (event.kind === "lease") {
      const isFirst = lease === undefined;
      applyLease(host, event.lease, lease);
      lease = event.lease;
      // At once: who is woken by it shall know.
      if (isFirst) report("done");
    } else if (event.kind === "deconfig" && lease !== undefined) {
      session.boot.log.warning(`The lease on ${text(name)} is lost; asking for another.`);
      dropLease(host, lease);
      lease = undefined;
      report("under way");
    }
    session.wake();
  };
  const client = startDhcp4(host, hear);
  host.atEnd(async (release) => {
    isEnding = true;
    await client.stop(release && lease !== undefined);
  });
  for (;;) {
    const wait = {
      look: () => lookAt(client, lease),
      describe: () => (host.isSpare() ? undefined : `waiting for a DHCP lease on ${text(name)}`),
    };
    if ((await session.wait({ ...wait, timeout_ms })) === undefined) {
      const late = `No DHCP server has answered on ${text(name)} within ${timeout_ms / 1000} s.`;
      report(new UserError(late, "rdinit goes on asking."));
      await session.until(wait.look);
    }
    await session.until(() => (lease === undefined || client.end !== undefined ? true : undefined));
    lookAt(client, undefined);
  }
}

// What the wait for a lease looks for. A client that ended brings none.
function lookAt(client: Dhcp4Client, lease: Lease | undefined): Lease | undefined {
  if (lease !== undefined || client.end === undefined) return lease;
  const [last] = lastLines(client.output(), 1);
  throw new UserError(`udhcpc ${describeEnd(client.end)}${last === undefined ? "" : ` and said: ${last}`}.`);
}

/** Sets what is new and removes what a lease before had otherwise. */
function applyLease(host: PartHost, lease: Lease, before: Lease | undefined): void {
  const { session, link, metric } = host;
  const { kernel, boot } = session;
  const { address, prefix } = lease;
  if (before !== undefined && before.address !== address) dropLease(host, before);
  // For ever, as far as the kernel knows: a root on the network must not lose it, and until then the client tells when
  // the lease has run out.
  setAddress(kernel, link, { address, prefix });
  host.keep({ address, prefix });
  for (const route of leaseRoutes(lease)) setRoute(kernel, link, route, { metric, origin: "dhcp" });
  host.setLease(4, lease);
  if (before?.address === address) return;
  boot.log.info(describeLease(host.name, lease));
  void tellOfConflict(boot, host.name, address);
}

function dropLease(host: PartHost, { address }: Lease): void {
  // Its routes go with it.
  dropAddress(host.session.kernel, host.link, address);
  host.drop(address);
  host.setLease(4, undefined);
}

function describeLease(name: string, { address, prefix, server, seconds }: Lease): string {
  const from = server === undefined ? "" : ` from ${server}`;
  const time = seconds === undefined ? "" : `, for ${seconds} s`;
  return `${text(name)} has ${address}/${prefix} by DHCP${from}${time}`;
}
