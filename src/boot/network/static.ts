/** Addresses that are written down: ip=ADDRESS. */

import { readAddresses } from "../../../syscalls/rtnetlink/index.ts";
import { formatAddress } from "../../network/address.ts";
import { planRoutes } from "../../network/routes.ts";
import { UserError } from "../../lib/errors.ts";
import { setAddress, setRoute } from "./configure.ts";
import { tellOfConflict } from "./conflict.ts";
import type { PartHost, Report } from "./part.ts";

/** Sets the wish's addresses and gateways, and waits until those of IPv6 are known to be nobody else's. */
export async function configureStatic(host: PartHost, report: Report): Promise<void> {
  const { session, link, wish, metric } = host;
  for (const { address, prefix, peer } of wish.addresses) {
    setAddress(session.kernel, link, { address, prefix, peer });
    host.keep({ address, prefix, peer });
  }
  for (const route of planRoutes(host.own, wish.gateways, []))
    setRoute(session.kernel, link, route, { metric, origin: "static" });
  for (const { address, family } of wish.addresses) {
    if (family === 4) void tellOfConflict(session.boot, host.name, address);
    else await untilUnique(host, report, address);
  }
  report("done");
}

/**
 * Waits until an IPv6 address can be used (RFC 4862, section 5.4).
 * @throws UserError when another machine has it
 */
export async function untilUnique(host: PartHost, report: Report, address: string): Promise<void> {
  const { session, name } = host;
  const look = (): "free" | "taken" | undefined => {
    const found = readAddresses(session.kernel).find(
      (one) => one.link === host.link && formatAddress(one.address) === address,
    );
    // The kernel removes some of those that others have.
    if (found === undefined || found.isDuplicate) return "taken";
    return found.isTentative ? undefined : "free";
  };
  const words = (): string => `waiting to learn that ${address} is no other machine's, on ${name}`;
  const timeout_ms = session.settings.timeouts.dad_ms;
  let state = await session.wait({ look, describe: words, timeout_ms });
  if (state === undefined) {
    report(
      new UserError(
        `It is not known after ${timeout_ms / 1000} s whether ${address} is another machine's (${name}).`,
      ),
    );
    state = await session.wait({ look, describe: () => undefined, timeout_ms: undefined });
  }
  if (state === "taken")
    throw new UserError(`Another machine on ${name} has the address ${address}.`, "Give this one another.");
}
