/** ip=dhcp6: not there yet. */

import { UserError } from "../../lib/errors.ts";
import type { PartHost, Report } from "./part.ts";

export async function runDhcp6(_host: PartHost, report: Report): Promise<void> {
  report(new UserError("DHCPv6 is not there yet."));
}
