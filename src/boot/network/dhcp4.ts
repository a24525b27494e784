/** ip=dhcp: an address of IPv4 with all that a DHCP server gives. */

import { SysError } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
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
  const keeper = new LeaseKeeper(host, report);
  let isEnding = false;
  const client = startDhcp4(host, (event) => {
    if (!isEnding) keeper.hear(event);
  });
  host.atEnd(async (release) => {
    isEnding = true;
    await client.stop(release && keeper.lease !== undefined);
  });
  for (;;) {
    const wait = {
      look: () => lookAt(client, keeper.lease),
      describe: () => (host.isSpare() ? undefined : `waiting for a DHCP lease on ${text(name)}`),
    };
    if ((await session.wait({ ...wait, timeout_ms })) === undefined) {
      const late = `No DHCP server has answered on ${text(name)} within ${timeout_ms / 1000} s.`;
      report(new UserError(late, "rdinit goes on asking."));
      await session.until(wait.look);
    }
    await session.until(() => (keeper.lease === undefined || client.end !== undefined ? true : undefined));
    lookAt(client, undefined);
  }
}

// What the wait for a lease looks for. A client that ended brings none.
function lookAt(client: Dhcp4Client, lease: Lease | undefined): Lease | undefined {
  if (lease !== undefined || client.end === undefined) return lease;
  const [last] = lastLines(client.output(), 1);
  throw new UserError(`udhcpc ${describeEnd(client.end)}${last === undefined ? "" : ` and said: ${last}`}.`);
}

/** Configures the interface by what the client hears. */
export class LeaseKeeper {
  private readonly host: PartHost;
  private readonly report: Report;
  private kept: Lease | undefined;

  constructor(host: PartHost, report: Report) {
    this.host = host;
    this.report = report;
  }

  get lease(): Lease | undefined {
    return this.kept;
  }

  /** What the kernel refuses is told. Never throws. */
  hear(event: LeaseEvent): void {
    const { session, name } = this.host;
    try {
      if (event.kind === "lease") this.take(event.lease);
      else if (event.kind === "deconfig" && this.kept !== undefined) {
        session.boot.log.warning(`The lease on ${text(name)} is lost; asking for another.`);
        this.drop(this.kept);
        this.report("under way");
      }
    } catch (error) {
      this.report(new UserError(`The lease on ${text(name)} can't be used: ${describe(error)}.`));
    }
    session.wake();
  }

  private take(lease: Lease): void {
    const { host, kept } = this;
    if (kept !== undefined && kept.address !== lease.address) this.drop(kept);
    applyLease(host, lease, kept);
    this.kept = lease;
    // At once: who is woken by it shall know.
    if (kept === undefined) this.report("done");
  }

  private drop(lease: Lease): void {
    this.kept = undefined;
    dropLease(this.host, lease);
  }
}

/** Sets what is new. A route that the kernel refuses is told, and the others set: the address alone may do. */
function applyLease(host: PartHost, lease: Lease, before: Lease | undefined): void {
  const { session, link, metric } = host;
  const { kernel, boot } = session;
  const { address, prefix } = lease;
  // For ever, as far as the kernel knows: a root on the network must not lose it, and until then the client tells when
  // the lease has run out.
  setAddress(kernel, link, { address, prefix });
  host.keep({ address, prefix });
  for (const route of leaseRoutes(lease)) {
    try {
      setRoute(kernel, link, route, { metric, origin: "dhcp" });
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      const { destination, prefix: length, gateway } = route;
      const way = `${destination}/${length}${gateway === undefined ? "" : ` by ${gateway}`}`;
      boot.log.warning(
        `The route to ${way}, which the DHCP server of ${text(host.name)} names, can't be set: ${describe(error)}.`,
      );
    }
  }
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
