/** Addresses that are written down: ip=ADDRESS. */

import { planRoutes } from "../../network/routes.ts";
import { text } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import { untilUnique } from "./address6.ts";
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
    else if (!(await untilUnique(host, report, address)))
      throw new UserError(
        `Another machine on ${text(host.name)} has the address ${address}.`,
        "Give this one another.",
      );
  }
  report("done");
}
