/** Addresses by router advertisements (RFC 4862), which the kernel itself makes of them, and link-local ones alone. */

import { text } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import { listenToRouters, switchOnIPv6, untilAddress } from "./address6.ts";
import { runDhcp6, runInformation6 } from "./dhcp6.ts";
import type { PartHost, Report } from "./part.ts";

/** ip=auto6 */
export async function runAuto6(host: PartHost, report: Report): Promise<void> {
  const timeout_ms = host.session.settings.timeouts.auto6_ms;
  listenToRouters(host);
  let address = await untilAddress(host, "global", timeout_ms);
  if (address === undefined) {
    report(nobodyAdvertised(host, timeout_ms));
    address = await untilAddress(host, "global", undefined);
  }
  report("done");
  await runInformation6(host, report, address ?? "");
}

/** ip=either6: router advertisements, and DHCPv6 where those bring no address. */
export async function runEither6(host: PartHost, report: Report): Promise<void> {
  const timeout_ms = host.session.settings.timeouts.auto6_ms;
  listenToRouters(host);
  const address = await untilAddress(host, "global", timeout_ms);
  if (address !== undefined) {
    report("done");
    return runInformation6(host, report, address);
  }
  host.session.boot.log.info(`${nobodyAdvertised(host, timeout_ms).message} Asking for one by DHCPv6.`);
  await runDhcp6(host, report);
}

/** ip=link6 */
export async function runLink6(host: PartHost, report: Report): Promise<void> {
  const timeout_ms = host.session.settings.timeouts.dad_ms;
  switchOnIPv6(host);
  if (!(await untilAddress(host, "link", timeout_ms))) {
    report(
      new UserError(`${text(host.name)} has no link-local address of IPv6 after ${timeout_ms / 1000} s.`),
    );
    await untilAddress(host, "link", undefined);
  }
  report("done");
}

function nobodyAdvertised(host: PartHost, timeout_ms: number): UserError {
  return new UserError(
    `No router has advertised an address on ${text(host.name)} within ${timeout_ms / 1000} s.`,
  );
}
