/** Addresses by router advertisements (RFC 4862), which the kernel itself makes of them, and link-local ones alone. */

import { type LinkAddress, readAddresses } from "../../../syscalls/rtnetlink/index.ts";
import { formatAddress } from "../../network/address.ts";
import { text } from "../../lib/bytes.ts";
import { UserError } from "../../lib/errors.ts";
import { runDhcp6 } from "./dhcp6.ts";
import type { PartHost, Report } from "./part.ts";

/** ip=auto6 */
export async function runAuto6(host: PartHost, report: Report): Promise<void> {
  const timeout_ms = host.session.settings.timeouts.auto6_ms;
  listenToRouters(host);
  if (!(await untilAddress(host, "global", timeout_ms))) {
    report(nobodyAdvertised(host, timeout_ms));
    await untilAddress(host, "global", undefined);
  }
  report("done");
}

/** ip=either6: router advertisements, and DHCPv6 where those bring no address. */
export async function runEither6(host: PartHost, report: Report): Promise<void> {
  const timeout_ms = host.session.settings.timeouts.auto6_ms;
  listenToRouters(host);
  if (await untilAddress(host, "global", timeout_ms)) return report("done");
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

/**
 * Waits for an address of IPv6 that can be used: not one that is still being looked at, nor one that another machine has.
 * @returns its text; undefined when none came in time
 */
export function untilAddress(
  host: PartHost,
  scope: LinkAddress["scope"],
  timeout_ms: number | undefined,
): Promise<string | undefined> {
  const kind = scope === "link" ? "a link-local address" : "a router's advertisement";
  return host.session.wait({
    look: () => {
      const found = readAddresses(host.session.kernel).find(
        (one) =>
          one.link === host.link &&
          one.address.length === 16 &&
          one.scope === scope &&
          !one.isTentative &&
          !one.isDuplicate,
      );
      return found && formatAddress(found.address);
    },
    describe: () => (timeout_ms === undefined ? undefined : `waiting for ${kind} on ${text(host.name)}`),
    timeout_ms,
  });
}

/** Lets the kernel take advertisements in on this link, which it does by its default. @throws UserError without IPv6 */
export function listenToRouters(host: PartHost): void {
  switchOnIPv6(host);
  for (const knob of ["accept_ra", "autoconf"]) host.session.setKnob(knobOf(host, knob), "1");
}

/** @throws UserError without IPv6 */
export function switchOnIPv6(host: PartHost): void {
  if (!host.session.setKnob(knobOf(host, "disable_ipv6"), "0"))
    throw new UserError(
      `${text(host.name)} can have no address of IPv6, as the kernel has no IPv6.`,
      "ipv6.disable=1 on the kernel command line switches it off, or a module is missing.",
    );
}

function knobOf(host: PartHost, knob: string): string {
  return `/proc/sys/net/ipv6/conf/${host.name}/${knob}`;
}

function nobodyAdvertised(host: PartHost, timeout_ms: number): UserError {
  return new UserError(
    `No router has advertised an address on ${text(host.name)} within ${timeout_ms / 1000} s.`,
  );
}
